"""LiteRT in a child process, shared by all tests of one worker."""

from collections.abc import Iterator

import pytest

from tests.exporters.tflite.harness import LiteRt


@pytest.fixture(scope="session")
def litert() -> Iterator[LiteRt]:
    """Run .tflite bytes: ``litert(data, feeds)`` returns the outputs by name."""
    runtime = LiteRt()
    yield runtime
    runtime.close()
