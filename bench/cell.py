"""One model on one target: everything that a benchmark says about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.records import (
    Accuracy,
    Cold,
    Delegated,
    Latency,
    LatencyRatio,
    Memory,
    Record,
    Size,
)

_NS_PER_MS = 1e6


@dataclass(frozen=True, kw_only=True)
class Cell(Record):
    """All that was measured of a model on a target; None where it was not.

    Attributes:
        model: what the user called it.
        target: as the user wrote it.
        size: of the file that ran.
        latency: of one run, with the raw times.
        percentiles_ms: 50, 90 and 99 % of the runs take no longer, by "p50", "p90", "p99".
        ratio: to the first model on this target, from the same rounds.
        cold: until the first answer of a fresh process.
        memory: of that process.
        delegated: what of it a delegate runs.
        accuracy: against the first model on the same samples.
        device: of a device, what it is, its temperatures, frequencies, memory and versions.
        estimate: the answer of a target that is not here.
        error: code, what, where and what to try, when it did not run.
    """

    model: str
    target: str
    size: Size | None = None
    latency: Latency | None = None
    percentiles_ms: Mapping[str, float] | None = None
    ratio: LatencyRatio | None = None
    cold: Cold | None = None
    memory: Memory | None = None
    delegated: Delegated | None = None
    accuracy: Accuracy | None = None
    device: Mapping[str, Any] | None = None
    estimate: Mapping[str, Any] | None = None
    error: Mapping[str, str] | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from other cells."""
        return self.model, self.target


def percentiles_ms(latency: Latency) -> dict[str, float]:
    """Return the median and the 90th and 99th percentile of a run, in milliseconds."""
    runs = np.asarray(latency.elapsed_ns, np.float64) / latency.repeats / _NS_PER_MS
    found = np.percentile(runs, [50, 90, 99])
    return {f"p{q}": float(value) for q, value in zip((50, 90, 99), found, strict=True)}
