"""An ``.npz`` read without trusting it: no pickles, no decompression bombs, only what is asked.

The sizes that the file declares are checked before anything is allocated, and of each array only
the leading samples are decompressed.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from compressor.data.store import StoredArray
from compressor.errors import Code, EdgecError

Array = npt.NDArray[Any]

# An array may take this much memory, and this much more than its compressed form. Deflate reaches
# 1000:1 on constant data, which is harmless while the array is small.
MAX_ARRAY_BYTES = 16 << 30
MAX_EXPANSION = 200
HARMLESS_BYTES = 256 << 20
MAX_ARRAYS = 10_000

_SUFFIX = ".npy"
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    ValueError,
    NotImplementedError,  # unknown compression or zip version
    RuntimeError,  # encrypted
    OSError,
)


@dataclass(frozen=True, kw_only=True)
class Archive:
    """The arrays of one ``.npz`` file by name."""

    path: Path
    arrays: Mapping[str, StoredArray]

    def read(self, name: str, samples: int | None = None) -> Array:
        """Return the first *samples* (default: all) of array *name*, read-only, native byte order.

        Raises:
            EdgecError: ``DATA_UNREADABLE`` when the content is damaged or a pickle,
                ``DATA_MISSING_ARRAY`` when there is no such array.
        """
        stored = self._find(name)
        _refuse_pickle(stored, self.path)
        with _reading(self.path), zipfile.ZipFile(self.path) as archive:
            _refuse_bomb(archive.getinfo(name + _SUFFIX), self.path)
            with archive.open(name + _SUFFIX) as stream:
                _read_header(stream, name)
                return _read_samples(stream, stored, samples)

    def prepare(self, names: Iterable[str], samples: int) -> None:
        """Do nothing: the file says how long its arrays are."""

    def _find(self, name: str) -> StoredArray:
        if name not in self.arrays:
            raise EdgecError(
                Code.DATA_MISSING_ARRAY,
                f"there is no array '{name}'",
                where=str(self.path),
                expected=f"one of the arrays in the file: {', '.join(sorted(self.arrays))}",
            )
        return self.arrays[name]


def open_archive(path: Path) -> Archive:
    """Read the directory and the array headers of *path*.

    Raises:
        EdgecError: ``DATA_UNREADABLE`` when it is no ``.npz``, truncated or inconsistent.
    """
    with _reading(path), zipfile.ZipFile(path) as archive:
        members = [info for info in archive.infolist() if info.filename.endswith(_SUFFIX)]
        if len(members) > MAX_ARRAYS:
            raise ValueError(f"it holds more than {MAX_ARRAYS} arrays")
        stored = [_describe(archive, info) for info in members]
    return Archive(path=path, arrays={array.name: array for array in stored})


def _describe(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> StoredArray:
    name = info.filename.removesuffix(_SUFFIX)
    with archive.open(info) as stream:
        stored = _read_header(stream, name)
        content = info.file_size - stream.tell()
    if not stored.dtype.hasobject and prod(stored.shape) * stored.dtype.itemsize != content:
        raise ValueError(f"array '{name}' is not as long as its header says")
    return stored


def _read_header(stream: IO[bytes], name: str) -> StoredArray:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADER_READERS:
        raise ValueError(f"array '{name}' has the unknown format version {version}")
    shape, column_major, dtype = _HEADER_READERS[version](stream)
    if any(length < 0 for length in shape):
        raise ValueError(f"array '{name}' has a negative length")
    return StoredArray(name=name, dtype=dtype, shape=tuple(shape), column_major=column_major)


def _read_samples(stream: IO[bytes], stored: StoredArray, samples: int | None) -> Array:
    wanted = stored.samples if samples is None else min(samples, stored.samples)
    whole = stored.column_major or not stored.shape
    shape = stored.shape if whole else (wanted, *stored.shape[1:])
    size = prod(shape) * stored.dtype.itemsize
    content = stream.read(size)
    if len(content) != size:
        raise EOFError(f"array '{stored.name}' ends early")
    flat = np.frombuffer(content, stored.dtype) if size else np.empty(prod(shape), stored.dtype)
    array = flat.reshape(shape, order="F" if stored.column_major else "C")
    native = array.astype(stored.dtype.newbyteorder("="), copy=False)
    return native[:wanted] if stored.shape else native


def _refuse_pickle(stored: StoredArray, path: Path) -> None:
    if stored.dtype.hasobject:
        raise EdgecError(
            Code.DATA_UNREADABLE,
            f"array '{stored.name}' holds pickled Python objects, which are never loaded",
            where=str(path),
            expected="arrays of numbers",
        )


def _refuse_bomb(info: zipfile.ZipInfo, path: Path) -> None:
    expansion = info.file_size / max(1, info.compress_size)
    suspicious = info.file_size > HARMLESS_BYTES and expansion > MAX_EXPANSION
    if suspicious or info.file_size > MAX_ARRAY_BYTES:
        raise EdgecError(
            Code.DATA_UNREADABLE,
            f"'{info.filename}' declares {info.file_size:,} bytes in {info.compress_size:,}",
            where=str(path),
            expected=f"at most {MAX_ARRAY_BYTES >> 30} GiB an array, and no more than "
            f"{MAX_EXPANSION} times its compressed size",
        )


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise EdgecError(
            Code.DATA_UNREADABLE,
            f"cannot read the samples: {error}",
            where=str(path),
            expected="a whole .npz file, as numpy.savez writes it",
        ) from error
