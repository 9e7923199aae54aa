"""LiteRT in a child process, shared by all tests of one worker."""

from collections.abc import Iterator

import pytest

from runtimes.isolate import Worker
from tests.compressor.ingest.tflite.litert import LiteRt


@pytest.fixture(scope="session")
def litert(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiteRt]:
    """Run .tflite bytes with LiteRT's reference kernels."""
    with Worker() as worker:
        yield LiteRt(worker, tmp_path_factory.mktemp("litert"))
