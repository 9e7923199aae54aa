"""Hostile files are read or refused by code, in little time and memory; nothing else comes out."""

import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from compressor.errors import EdgecError
from compressor.source import read_source
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.compressor.ingest.onnx.mutations import mutated, seeds

COUNT = int(os.environ.get("EDGEC_FUZZ", "200"))
BATCH = 25
SECONDS = 20
MEMORY = 512 << 20  # bytes that 25 files of some kilobytes may add to the process


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return seeds()


@pytest.fixture
def bounded() -> Iterator[None]:
    """Fail when a file takes longer than ``SECONDS``."""

    def late(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("first", range(0, COUNT, BATCH))
@pytest.mark.usefixtures("bounded")
def test_hostile_files(tmp_path: Path, files: list[bytes], first: int) -> None:
    path = tmp_path / "m.onnx"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for seed in range(first, first + BATCH):
        path.write_bytes(mutated(files, seed))
        signal.alarm(SECONDS)
        start = time.monotonic()
        try:
            exporter.write(read_source(str(path)).model, ExportOptions())
        except EdgecError as error:
            assert 200 <= int(error.code.ident[2:]) < 300, (seed, str(error))  # noqa: PT017
        except Exception as error:
            raise AssertionError(f"file {seed} raised {error!r}") from error
        assert time.monotonic() - start < SECONDS, seed
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    assert grown * 1024 < MEMORY
