import os
import time

import pytest

from compressor.ir import probe
from compressor.ir.probe import survives


def fail() -> None:
    raise ValueError("the child's own business")


def test_what_returns_or_raises_survives() -> None:
    assert survives(lambda: 1)
    assert survives(fail)


def test_what_aborts_does_not() -> None:
    assert not survives(os.abort)


def test_what_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_SECONDS", 0.1)
    start = time.monotonic()
    assert not survives(lambda: time.sleep(60))
    assert time.monotonic() - start < 30
