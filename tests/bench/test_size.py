from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

import bench.size
from bench.records import Size
from bench.size import measure_size
from compressor.errors import Code, EdgecError


def _gzipped(data: bytes) -> int:
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=stream, mode="wb", compresslevel=9, mtime=0) as packed:
        packed.write(data)
    return len(stream.getvalue())


@pytest.mark.parametrize("size", [0, 1, 1000, 100_003])
def test_is_what_gzip_gives(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.size, "_CHUNK", 4096)
    data = np.random.default_rng(0).integers(0, 16, size, np.uint8).tobytes()
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    assert measure_size(path) == Size(file_bytes=size, gzip_bytes=_gzipped(data))


def test_name_and_time_of_the_file_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"weights" * 100)
    (tmp_path / "longer_name.tflite").write_bytes(b"weights" * 100)
    assert measure_size(tmp_path / "a") == measure_size(tmp_path / "longer_name.tflite")


def test_files_of_one_model_add_up(tmp_path: Path) -> None:
    parts = [tmp_path / "graph", tmp_path / "weights"]
    for part in parts:
        part.write_bytes(b"0123456789")
    one = measure_size(parts[0])
    assert one.gzip_bytes is not None
    assert measure_size(*parts) == Size(
        file_bytes=2 * one.file_bytes, gzip_bytes=2 * one.gzip_bytes
    )


def test_large_files_are_not_compressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.onnx").write_bytes(b"0123456789")
    monkeypatch.setattr(bench.size, "_LARGEST_COMPRESSED", 9)
    assert measure_size(tmp_path / "model.onnx") == Size(file_bytes=10, gzip_bytes=None)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        measure_size(tmp_path / "absent.onnx")
    assert caught.value.code is Code.MODEL_NOT_FOUND
