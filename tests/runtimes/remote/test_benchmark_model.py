from __future__ import annotations

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.remote.benchmark_model import failure_in, result_from
from tests.runtimes.remote import benchmark_logs as logs

MODEL = Path("m.tflite")


@pytest.mark.parametrize(
    ("text", "average", "first", "load", "count"),
    [
        (logs.RECENT, 12345.6, 14000, 12500, 100),
        (logs.OF_2020, 33209.4, 49060, 855, 50),
        (logs.OF_2019, 37500.0, 39000, 4500, 25),
        (logs.ONE_RUN, 48000.0, 50000, 1000, 1),
    ],
)
def test_every_version_is_read(
    text: str, average: float, first: int, load: int, count: int
) -> None:
    found = result_from(text, MODEL, "adb:X")
    assert found.summary["avg"] == average
    assert found.summary["count"] == count
    assert (found.first_ns, found.load_ns) == (first * 1000, load * 1000)
    assert found.elapsed_ns == ()


def test_spread_percentiles_and_memory_where_they_are_told() -> None:
    recent, old = (result_from(t, MODEL, "adb:X").summary for t in (logs.RECENT, logs.OF_2019))
    assert (recent["std"], recent["median"], recent["p95"]) == (200, 12340, 12800)
    assert recent["memory_mb"] == 14.75
    assert "median" not in old
    assert "memory_mb" not in old


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        (logs.NO_DELEGATE, Code.RUNTIME_REFUSED, "XNNPACK"),
        (logs.NO_MODEL, Code.RUNTIME_REFUSED, "load model"),
        (logs.UNKNOWN_OPERATOR, Code.RUNTIME_REFUSED, "MyOp"),
        (logs.WRONG_PROCESSOR, Code.RUNTIME_UNAVAILABLE, "not executable"),
        (logs.NO_LIBRARY, Code.RUNTIME_UNAVAILABLE, "libc++_shared"),
        (logs.CRASHED, Code.RUNTIME_CRASHED, "fault"),
        (logs.CUT_SHORT, Code.RUNTIME_REFUSED, ""),
        ("", Code.RUNTIME_REFUSED, "nothing"),
    ],
)
def test_failures_have_a_code_and_the_reason(text: str, code: Code, reason: str) -> None:
    with pytest.raises(EdgecError) as caught:
        result_from(text, MODEL, "adb:X")
    assert caught.value.code is code
    assert reason in caught.value.what
    assert "m.tflite" in caught.value.where


def test_a_signal_is_a_crash_whatever_was_said() -> None:
    assert failure_in("INFO: STARTING!", 139, MODEL, "adb:X").code is Code.RUNTIME_CRASHED
