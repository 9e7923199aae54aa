"""Medians, ratios and drops with 95 % intervals, and when a timing is too noisy to call."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from bench.records import Interval, Verdict

Values = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

NOISY_WIDTH = 0.10
"""Widest 95 % interval, as a share of the value, that still supports a decision: INT8 runs at 0.3
to 0.9 of float, and what is decided on it (ship or not, this form or that) turns on tenths."""

NOISY_DRIFT = 0.05
"""Largest change of the median from the first half of a run to the second. Intervals assume rounds
that are alike; where halves differ by half of NOISY_WIDTH, another run may well lie outside."""

RESAMPLES = 1000
"""Bootstrap resamples: the ends of a 95 % interval are then the 25th lowest and highest."""

_TAIL = 0.025
_FEWEST_TO_RISE = 20
_BLOCK = 1 << 20


def median_interval(values: Values) -> Interval:
    """Return the median of *values* [n] with its distribution-free 95 % interval.

    The interval lies between two order statistics whose ranks follow from the binomial law (David
    and Nagaraja, Order Statistics, section 7.1). Below six values no such pair reaches 95 %, and
    the extremes are returned.
    """
    ordered = np.sort(values)
    rank = _tail_rank(len(ordered))
    return Interval(
        value=float(np.median(ordered)),
        low=float(ordered[rank - 1]),
        high=float(ordered[len(ordered) - rank]),
    )


def _tail_rank(count: int) -> int:
    """Return the largest r >= 1 with P(B <= r - 1) <= 2.5 %, where B ~ Binomial(count, 1/2)."""
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])
    log_chance = log_factorial[-1] - log_factorial - log_factorial[::-1] - count * np.log(2)
    return max(1, int(np.searchsorted(np.cumsum(np.exp(log_chance)), _TAIL, side="right")))


def ratio_interval(numerator: Values, denominator: Values, seed: int) -> Interval:
    """Return median(numerator) / median(denominator) with a paired bootstrap interval.

    Both are [rounds]; whole rounds are drawn with replacement, so what slowed both models in a
    round stays paired (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13).
    """
    ratios = np.concatenate(
        [
            np.median(numerator[draw], axis=1) / np.median(denominator[draw], axis=1)
            for draw in _draws(len(numerator), seed)
        ]
    )
    return _percentiles(float(np.median(numerator) / np.median(denominator)), ratios)


def mean_interval(values: Values, seed: int) -> Interval:
    """Return the mean of *values* [n] with a bootstrap interval.

    Drawing n values with replacement is one multinomial draw over the distinct ones: differences of
    right and wrong answers have three, however many samples there are.
    """
    distinct, counts = np.unique(values, return_counts=True)
    total = len(values)
    random = np.random.default_rng(seed)
    means = [
        random.multinomial(total, counts / total, size=rows) @ distinct / total
        for rows in _block_rows(len(distinct))
    ]
    return _percentiles(float(values.mean()), np.concatenate(means))


def bootstrap_interval(
    statistic: Callable[[Indices], float], count: int, *, resamples: int, seed: int
) -> Interval:
    """Return *statistic* of all *count* indices with an interval over drawn indices.

    A NaN marks a draw on which the statistic is not defined; such draws are left out.
    """
    random = np.random.default_rng(seed)
    drawn = [statistic(random.integers(0, count, count)) for _ in range(resamples)]
    return _percentiles(statistic(np.arange(count)), np.asarray(drawn))


def drift(values: Values) -> float:
    """Return how far the median moves between the halves of *values* [n], as a share."""
    half = len(values) // 2
    if half == 0:
        return 0.0
    return float(abs(np.median(values[-half:]) / np.median(values[:half]) - 1))


def verdict(estimate: Interval, values: Values) -> Verdict:
    """Judge *estimate* by its width, and the rounds' *values* [n] behind it by their drift.

    Times that keep rising are throttled: by heat, by a spent budget of processor time.
    """
    if drift(values) > NOISY_DRIFT and _keeps_rising(values):
        return Verdict.THROTTLED
    steady = estimate.relative_width <= NOISY_WIDTH and drift(values) <= NOISY_DRIFT
    return Verdict.STABLE if steady else Verdict.NOISY


def _keeps_rising(values: Values) -> bool:
    """Whether the median rises from each quarter of a run to the next, as with heat."""
    if len(values) < _FEWEST_TO_RISE:
        return False
    medians = [np.median(part) for part in np.array_split(values, 4)]
    return all(after > before for before, after in itertools.pairwise(medians))


def _draws(count: int, seed: int) -> Iterator[Indices]:
    """Yield blocks [rows, count] of indices drawn with replacement, RESAMPLES rows in all."""
    random = np.random.default_rng(seed)
    for rows in _block_rows(count):
        yield random.integers(0, count, (rows, count))


def _block_rows(width: int) -> Iterator[int]:
    """Split RESAMPLES into blocks of rows of *width* that stay within some megabytes."""
    most = max(1, _BLOCK // width)
    for start in range(0, RESAMPLES, most):
        yield min(most, RESAMPLES - start)


def _percentiles(value: float, drawn: Values) -> Interval:
    low, high = np.nanpercentile(drawn, [100 * _TAIL, 100 * (1 - _TAIL)])
    return Interval(value=value, low=float(low), high=float(high))
