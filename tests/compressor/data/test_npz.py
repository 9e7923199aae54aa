import contextlib
import io
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import hypothesis
import hypothesis.extra.numpy as random_arrays
import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest

from compressor.data import npz
from compressor.data.npz import open_archive
from compressor.errors import Code, EdgecError


def saved(path: Path, **arrays: npt.NDArray[Any]) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def as_npy(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array)
    return buffer.getvalue()


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def refusal(path: Path, name: str = "x") -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        open_archive(path).read(name)
    return caught.value


@hypothesis.given(
    array=random_arrays.arrays(
        st.sampled_from(["u1", "<i8", ">i4", ">f4", "<f8", "?", "f2", "U3"]),
        random_arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    ),
    column_major=st.booleans(),
    samples=st.none() | st.integers(0, 7),
)
def test_reads_what_numpy_reads(
    tmp_path_factory: pytest.TempPathFactory,
    array: npt.NDArray[Any],
    column_major: bool,
    samples: int | None,
) -> None:
    stored = np.asfortranarray(array) if column_major else array
    path = saved(tmp_path_factory.mktemp("npz") / "a.npz", x=stored)
    read = open_archive(path).read("x", samples)
    np.testing.assert_array_equal(read, array[:samples] if array.ndim else array)
    assert read.dtype.isnative


def test_headers_are_known_without_reading_content(tmp_path: Path) -> None:
    archive = open_archive(saved(tmp_path / "a.npz", x=np.zeros((3, 2), "u1"), y=np.zeros(3)))
    assert {a.name: (a.dtype.str, a.shape) for a in archive.arrays.values()} == {
        "x": ("|u1", (3, 2)),
        "y": ("<f8", (3,)),
    }


def test_only_the_leading_samples_are_decompressed(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", x=np.random.default_rng(0).random((4000, 1000)))
    archive = open_archive(path)
    tracemalloc.start()
    archive.read("x", 10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("unpickled",)


def test_pickled_array_is_never_loaded(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([Bomb()], object), y=np.arange(3))
    assert refusal(tmp_path / "a.npz").code is Code.DATA_UNREADABLE
    assert "pickled" in refusal(tmp_path / "a.npz").what
    assert open_archive(tmp_path / "a.npz").read("y").tolist() == [0, 1, 2]


def test_pickle_under_the_name_of_an_archive_is_never_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Bomb()))
    assert refusal(tmp_path / "a.npz").code is Code.DATA_UNREADABLE


def test_missing_array_is_named(tmp_path: Path) -> None:
    error = refusal(saved(tmp_path / "a.npz", x=np.zeros(1)), "z")
    assert error.code is Code.DATA_MISSING_ARRAY
    assert "x" in error.expected


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = saved(tmp_path / "a.npz", x=np.random.default_rng(0).random((50, 7))).read_bytes()
    for length in range(0, len(content), 13):
        (tmp_path / "a.npz").write_bytes(content[:length])
        assert refusal(tmp_path / "a.npz").code is Code.DATA_UNREADABLE


@hypothesis.given(data=st.data())
def test_damage_is_refused_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    content = bytearray(saved(path, x=np.arange(60, dtype="f4").reshape(20, 3)).read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(EdgecError):  # anything else would be a traceback for the user
        archive = open_archive(path)
        for name in archive.arrays:
            archive.read(name)


def test_header_that_declares_more_than_is_there_allocates_nothing(tmp_path: Path) -> None:
    lying = as_npy(np.zeros(4)).replace(b"(4,)", b"(1<<40,)")
    huge = as_npy(np.zeros((1000, 1000)))[:128] + bytes(64)
    for content in (lying, huge, b"\x93NUMPY\x01\x00" + struct.pack("<H", 60000), b""):
        path = zipped(tmp_path / "a.npz", {"x.npy": content})
        assert refusal(path).code is Code.DATA_UNREADABLE


def test_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.npz", x=np.zeros((1000, 1000)), y=np.zeros(1000))
    monkeypatch.setattr(npz, "HARMLESS_BYTES", 1 << 20)
    error = refusal(path)
    assert error.code is Code.DATA_UNREADABLE
    assert "8,000,128 bytes" in error.what
    assert len(open_archive(path).read("y")) == 1000


def test_array_beyond_the_absolute_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.npz", x=np.random.default_rng(0).random(1000))
    monkeypatch.setattr(npz, "MAX_ARRAY_BYTES", 1000)
    assert refusal(path).code is Code.DATA_UNREADABLE


def test_encrypted_or_unknown_members_are_refused(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "a.npz", {"x.npy": as_npy(np.zeros(3))}).read_bytes())
    central = content.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 99)):  # encrypted; unknown compression
        damaged = content.copy()
        damaged[central + offset] = damaged[offset - 2] = value
        (tmp_path / "b.npz").write_bytes(damaged)
        assert refusal(tmp_path / "b.npz").code is Code.DATA_UNREADABLE
