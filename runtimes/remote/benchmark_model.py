"""What TensorFlow Lite's ``benchmark_model`` prints, in its several versions."""

from __future__ import annotations

import re
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.remote.job import DeviceResult

_COUNTS = re.compile(r"^(?:INFO: |native : .*?\] )?count=(\d+)((?: \w+=[-+.\deE]+)*)", re.MULTILINE)
_PAIR = re.compile(r"(\w+)=([-+.\deE]+)")
_TIMINGS = re.compile(
    r"Inference timings in us: Init: (?P<init>[\d.e+]+), First inference: (?P<first>[\d.e+]+), "
    r"Warmup \(avg\): (?P<warmup>[\d.e+]+), Inference \(avg\): (?P<avg>[\d.e+]+)"
)
_OLD_TIMINGS = re.compile(
    r"Average inference timings in us: Warmup: (?P<warmup>[\d.e+]+), Init: (?P<init>[\d.e+]+), "
    r"(?:Inference|no stats): (?P<avg>[\d.e+]+)"
)
_MEMORY = re.compile(r"footprint[^\n]*\(MB\): [^\n]*?overall=(?P<mb>[\d.]+)")
_REASON = re.compile(
    r"^(?:ERROR: |E/\S+ )?(?P<reason>.*(?:[Ff]ailed|CANNOT LINK|not executable|Unknown|[Ii]nvalid|"
    r"Aborted|fault|[Uu]nresolved|didn't find).*)$",
    re.MULTILINE,
)
_NS_PER_US = 1000
_SIGNALLED = 128


def result_from(text: str, model: Path, target: str) -> DeviceResult:
    """Return the measurement in *text*.

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` or ``RUNTIME_CRASHED`` when it holds none, with the reason.
    """
    timings = _TIMINGS.search(text) or _OLD_TIMINGS.search(text)
    counts = _COUNTS.findall(text)
    if timings is None or not counts:
        raise failure_in(text, 0, model, target)
    count, pairs = counts[-1]  # the first are warm-up runs
    summary = {key: float(value) for key, value in _PAIR.findall(pairs) if key != "curr"}
    known = timings.groupdict()
    memory = _MEMORY.search(text)
    if memory:
        summary["memory_mb"] = float(memory["mb"])
    first = float(known.get("first") or _warm_first(counts[0][1]))
    return DeviceResult(
        load_ns=int(float(known["init"]) * _NS_PER_US),
        first_ns=int(first * _NS_PER_US),
        repeats=1,
        elapsed_ns=(),
        summary={"count": float(count), **summary, "avg": float(known["avg"])},
    )


def failure_in(text: str, status: int, model: Path, target: str) -> EdgecError:
    """Return the error for a run that gave no result, with the reason that *text* states."""
    found = [match["reason"].strip() for match in _REASON.finditer(text)]
    rows = [row.strip() for row in text.splitlines() if row.strip()]
    reason = found[0] if found else (rows[-1] if rows else "it printed nothing")
    where = f"{model.name} on target '{target}'"
    crashed = status >= _SIGNALLED or "Aborted" in text or "Segmentation fault" in text
    if "CANNOT LINK" in text or "not executable" in text or "Exec format" in text:
        return EdgecError(
            Code.RUNTIME_UNAVAILABLE,
            reason,
            where=where,
            expected="a benchmark_model built for the device's processor",
        )
    return EdgecError(
        Code.RUNTIME_CRASHED if crashed else Code.RUNTIME_REFUSED, reason, where=where
    )


def _warm_first(pairs: str) -> str:
    """Return the first of the warm-up runs, where an old version tells it nowhere else."""
    return str(dict(_PAIR.findall(pairs)).get("first", "0"))
