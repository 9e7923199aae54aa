"""Files that appear whole or not at all, even when the process is killed while writing."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from compressor.errors import Code, EdgecError

MARKER = ".edgec.json"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def write_atomically(path: Path, content: bytes) -> None:
    """Write *content* to *path* so that it holds either the old bytes or all of the new ones."""
    with atomically(path) as file:
        file.write(content)


@contextmanager
def atomically(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream whose content becomes *path* when the block ends without an exception."""
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


class OutputFolder:
    """A context that builds a folder aside and puts it in place only when all went well.

    Inside the context, write files below ``OutputFolder.building``. On success the folder takes
    the final name in one step; on an exception it is removed and an earlier result stays as it
    was. A folder that edgec made is recognised by its marker, which lists the files in it, so
    that a file someone added by hand is never deleted.

    The folder under construction is locked by its process. What a killed run left behind is
    therefore known to be stale, and the next run for the same output removes it.
    """

    def __init__(self, path: Path, *, sources: Sequence[Path] = ()) -> None:
        """Plan the folder *path*; files in *sources* must lie outside of it."""
        self.path = path.absolute().resolve()
        self._sources = [source.absolute().resolve() for source in sources]
        self._lock: int | None = None
        self.building = self.path

    def __enter__(self) -> Self:
        """Make the folder aside.

        Raises:
            EdgecError: ``OUTPUT_EXISTS`` when the path holds anything that edgec did not make or
                one of the sources; ``OUTPUT_UNWRITABLE`` when it cannot be written.
        """
        self._refuse_foreign_files()
        try:
            if self.path.exists() and not self.path.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "a file has this name")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _remove_stale(self.path)
            self.building, self._lock = _make_locked_sibling(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            # After an exchange this is the replaced folder, after a failure the unfinished one.
            shutil.rmtree(self.building, ignore_errors=True)
            if self._lock is not None:
                os.close(self._lock)

    def _finish(self) -> None:
        self._refuse_foreign_files()
        write_atomically(self.building / MARKER, _marker_of(self.building))
        try:
            put_in_place(self.building, self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def _refuse_foreign_files(self) -> None:
        if not self.path.is_dir():
            return
        own = _files_made_by_edgec(self.path)
        foreign = next((name for name in _walk(self.path) if name not in own), None)
        if foreign is not None:
            raise _occupied(self.path, f"it holds '{foreign}', which edgec did not make")
        for source in self._sources:
            if source.is_relative_to(self.path):
                raise _occupied(self.path, f"the source '{source.name}' lies in it")


def put_in_place(new: Path, final: Path) -> None:
    """Give the folder *new* the name *final*.

    An existing folder is exchanged in one step where the system can, and then lies under the
    name *new*; elsewhere its files are replaced one by one. Either way no file under *final* is
    ever truncated.
    """
    try:
        new.rename(final)
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST} or not final.is_dir():
            raise
        if not _exchange(new, final):
            replace_files(new, final)


def replace_files(new: Path, final: Path) -> None:
    """Move the files of *new* over those of *final*, and drop those that *new* does not have."""
    kept = set(_walk(new))
    for name in sorted(set(_walk(final)) - kept):
        (final / name).unlink()
    for name in sorted(kept):
        (final / name).parent.mkdir(parents=True, exist_ok=True)
        (new / name).replace(final / name)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names atomically (Linux ``renameat2``); False where that is not possible."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    if rename is None:
        return False
    names = (os.fsencode(first), os.fsencode(second))
    done: int = rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    return done == 0


def _walk(folder: Path) -> Iterator[str]:
    """Yield the relative path of each file in *folder*, one by one: it may be a home folder."""
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*files, *links):
            yield Path(place, name).relative_to(folder).as_posix()


def _marker_of(folder: Path) -> bytes:
    listing = {"made_by": "edgec", "files": sorted({*_walk(folder), MARKER})}
    return json.dumps(listing, indent=1).encode()


def _files_made_by_edgec(folder: Path) -> set[str]:
    try:
        listing = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError):
        return set()
    files = listing.get("files") if isinstance(listing, dict) else None
    return {str(name) for name in files} if isinstance(files, list) else set()


def _temporary_prefix(path: Path) -> str:
    return f".{path.name}.edgec-"


def _make_locked_sibling(path: Path) -> tuple[Path, int | None]:
    """Make a folder next to *path*, on the same file system; return it and its lock.

    Another run may take the new folder for a stale one before it is locked, hence the attempts.
    On a file system without locks the last one stands unlocked.
    """
    for _ in range(3):
        folder = path.with_name(_temporary_prefix(path) + secrets.token_hex(4))
        folder.mkdir()
        lock = _try_lock(folder)
        if lock is not None and folder.is_dir():
            break
    return folder, lock


def _remove_stale(path: Path) -> None:
    for folder in path.parent.iterdir():
        lock = _try_lock(folder) if folder.name.startswith(_temporary_prefix(path)) else None
        if lock is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _try_lock(folder: Path) -> int | None:
    """Lock *folder* until the process ends; None when another one holds it or it is gone.

    The kernel drops the lock with its process, however that ends, and knows nothing of process
    numbers, which are reused and mean nothing outside a container.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held elsewhere, or a file system without locks
        os.close(descriptor)
        return None
    return descriptor


def _occupied(path: Path, why: str) -> EdgecError:
    return EdgecError(
        Code.OUTPUT_EXISTS,
        f"the output folder is in use: {why}",
        where=str(path),
        hint="choose another folder with -o",
    )


def _unwritable(path: Path, error: OSError) -> EdgecError | OSError:
    if error.errno == errno.ENOSPC:
        return error
    return EdgecError(
        Code.OUTPUT_UNWRITABLE,
        f"cannot write the output folder: {error.strerror}",
        where=str(path),
        expected="a folder that exists or can be made, and may be written",
        hint="choose another folder with -o",
    )
