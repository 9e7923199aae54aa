"""Whether a latency has changed since an earlier run: significantly, and enough to matter."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from bench.records import Interval, Record
from bench.statistics import RESAMPLES, Values

SIGNIFICANT = 0.01
"""Chance of calling a change where there is none, for each test."""

NOTICEABLE = 0.05
"""Smallest change that counts: two runs on a quiet machine differ by one to three per cent, since
each process lays out its memory anew, and no number of rounds within a run shows that."""

_SEED = 0


class Direction(Enum):
    """How a time compares with an earlier one."""

    SAME = "same"
    SLOWER = "slower"
    FASTER = "faster"


@dataclass(frozen=True, kw_only=True)
class Change(Record):
    """The comparison of two runs.

    Attributes:
        model: and *target*: what was compared.
        ratio: of the medians, now over before, with its 95 % interval.
        p_value: chance that times of one distribution differ this much (Mann-Whitney).
        direction: SAME unless the change is both significant and noticeable.
    """

    model: str
    target: str
    ratio: Interval
    p_value: float
    direction: Direction


def change(now: Values, before: Values, *, model: str, target: str) -> Change:
    """Compare the times *now* [n] with those *before* [m] of the same model and target."""
    ratio, p_value = _unpaired_ratio(now, before), mann_whitney(now, before)
    direction = Direction.SAME
    if p_value < SIGNIFICANT and ratio.low > 1 and ratio.value > 1 + NOTICEABLE:
        direction = Direction.SLOWER
    if p_value < SIGNIFICANT and ratio.high < 1 and ratio.value < 1 - NOTICEABLE:
        direction = Direction.FASTER
    return Change(model=model, target=target, ratio=ratio, p_value=p_value, direction=direction)


def _unpaired_ratio(now: Values, before: Values) -> Interval:
    random = np.random.default_rng(_SEED)

    def medians(values: Values) -> Values:
        drawn = random.integers(0, len(values), (RESAMPLES, len(values)))
        return np.asarray(np.median(values[drawn], axis=1))

    ratios = medians(now) / medians(before)
    low, high = np.percentile(ratios, [2.5, 97.5])
    value = float(np.median(now) / np.median(before))
    return Interval(value=value, low=float(low), high=float(high))


def mann_whitney(a: Values, b: Values) -> float:
    """Return the two-sided p-value of the rank-sum test, by the normal law with ties corrected.

    Mann and Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other" (1947). Good from about eight values each; equal values give 1.
    """
    joined = np.concatenate([a, b])
    distinct, inverse, counts = np.unique(joined, return_inverse=True, return_counts=True)
    if len(distinct) == 1:
        return 1.0
    last = np.cumsum(counts)
    mean_rank = last - (counts - 1) / 2
    statistic = float(mean_rank[inverse][: len(a)].sum()) - len(a) * (len(a) + 1) / 2
    total = len(joined)
    ties = float((counts.astype(np.float64) ** 3 - counts).sum()) / (total * (total - 1))
    variance = len(a) * len(b) / 12 * (total + 1 - ties)
    deviation = max(0.0, abs(statistic - len(a) * len(b) / 2) - 0.5)
    return math.erfc(deviation / math.sqrt(2 * variance))


def times_of(cell: dict[str, Any]) -> Values | None:
    """Return the time of each run in the JSON of a cell, None where it was not timed."""
    latency = cell.get("latency")
    if not latency or not latency.get("elapsed_ns"):
        return None
    elapsed = np.asarray(latency["elapsed_ns"], np.float64)
    return np.asarray(elapsed / latency["repeats"], np.float64)
