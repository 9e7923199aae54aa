from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records import Interval, Verdict
from bench.statistics import (
    NOISY_DRIFT,
    NOISY_WIDTH,
    RESAMPLES,
    bootstrap_interval,
    drift,
    mean_interval,
    median_interval,
    ratio_interval,
    verdict,
)
from tests.tolerances import bootstrap_width, float64_sum, proportion

TRIALS = 400
TIMES = st.lists(st.floats(1e3, 1e9), min_size=1, max_size=60).map(np.array)


def _exact_coverage(count: int, rank: int) -> float:
    """Chance that the median lies between the rank-th lowest and highest of *count* values."""
    return 1 - 2 * sum(math.comb(count, k) for k in range(rank)) / 2**count


@pytest.mark.parametrize("count", [6, 7, 20, 30, 99, 100, 1000])
def test_median_interval_has_the_narrowest_ranks_that_reach_95_percent(count: int) -> None:
    interval = median_interval(np.arange(1.0, count + 1))
    rank = int(interval.low)
    assert interval.high == count + 1 - rank
    assert _exact_coverage(count, rank) >= 0.95 > _exact_coverage(count, rank + 1)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_few_values_give_their_extremes(count: int) -> None:
    interval = median_interval(np.arange(1.0, count + 1))
    assert (interval.low, interval.high) == (1.0, count)


@given(TIMES)
def test_median_lies_in_its_interval(values: np.ndarray) -> None:
    interval = median_interval(values)
    assert interval.low <= interval.value <= interval.high
    assert interval == median_interval(values[::-1])


def test_ratio_interval_covers_the_true_ratio() -> None:
    """Rounds share a disturbance of 30 %, which pairing removes; each model has 5 % of its own."""
    random = np.random.default_rng(0)
    covered, widths = 0, []
    for trial in range(TRIALS):
        shared = random.lognormal(0, 0.3, 60)
        baseline = 10.0 * shared * random.lognormal(0, 0.05, 60)
        artifact = 5.0 * shared * random.lognormal(0, 0.05, 60)
        interval = ratio_interval(artifact, baseline, trial)
        covered += interval.low <= 0.5 <= interval.high
        widths.append(interval.relative_width)
    assert covered / TRIALS >= 0.95 - proportion(0.95, TRIALS)
    independent = ratio_interval(artifact, random.permutation(baseline), 0)
    assert np.median(widths) < independent.relative_width


def test_ratio_of_proportional_times_is_exact() -> None:
    times = np.random.default_rng(0).lognormal(size=50)
    interval = ratio_interval(0.25 * times, times, 0)
    assert (interval.value, interval.low, interval.high) == (0.25, 0.25, 0.25)


def test_same_seed_same_interval() -> None:
    random = np.random.default_rng(0)
    a, b = random.lognormal(size=(2, 50))
    assert ratio_interval(a, b, 1) == ratio_interval(a, b, 1) != ratio_interval(a, b, 2)


def test_mean_interval_covers_the_true_mean() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for trial in range(TRIALS):
        values = random.choice([-100.0, 0.0, 100.0], 500, p=[0.02, 0.94, 0.04])
        interval = mean_interval(values, trial)
        covered += interval.low <= 2.0 <= interval.high
    assert covered / TRIALS >= 0.95 - proportion(0.95, TRIALS)


def test_mean_interval_agrees_with_drawing_indices() -> None:
    """The multinomial short cut and plain resampling estimate the same interval."""
    values = np.random.default_rng(0).normal(size=400)
    short = mean_interval(values, 0)
    plain = bootstrap_interval(lambda draw: float(values[draw].mean()), 400, resamples=4000, seed=1)
    assert short.value == pytest.approx(plain.value, abs=float64_sum(400))
    assert short.relative_width / plain.relative_width == pytest.approx(
        1, abs=bootstrap_width(RESAMPLES) + bootstrap_width(4000)
    )


def test_equal_values_have_no_width() -> None:
    interval = mean_interval(np.full(50, 3.0), 0)
    assert (interval.value, interval.low, interval.high) == (3.0, 3.0, 3.0)


def test_undefined_draws_are_left_out() -> None:
    interval = bootstrap_interval(
        lambda draw: np.nan if 0 in draw and len(set(draw)) < 3 else 7.0, 3, resamples=50, seed=0
    )
    assert interval == Interval(value=7.0, low=7.0, high=7.0)


def test_drift_compares_halves() -> None:
    assert drift(np.array([1.0, 1.0, 1.0, 1.2, 1.2, 1.2])) == pytest.approx(0.2, abs=float64_sum(2))
    assert drift(np.array([5.0])) == 0.0
    assert drift(np.array([1.0, 9.0, 1.0, 1.0, 9.0, 1.0])) == 0.0


@pytest.mark.parametrize(
    ("width", "step", "expected"),
    [
        (NOISY_WIDTH * 0.9, 0.0, Verdict.STABLE),
        (NOISY_WIDTH * 1.1, 0.0, Verdict.NOISY),
        (0.0, NOISY_DRIFT * 0.9, Verdict.STABLE),
        (0.0, NOISY_DRIFT * 1.1, Verdict.NOISY),
    ],
)
def test_verdict_weighs_width_and_drift(width: float, step: float, expected: Verdict) -> None:
    estimate = Interval(value=1.0, low=1.0 - width / 2, high=1.0 + width / 2)
    rounds = np.concatenate([np.full(20, 1.0), np.full(20, 1.0 + step)])
    assert verdict(estimate, rounds) is expected


def test_times_that_keep_rising_are_throttled() -> None:
    rising = np.linspace(1.0, 1.2, 40)
    estimate = Interval(value=1.1, low=1.09, high=1.11)
    assert verdict(estimate, rising) is Verdict.THROTTLED
    assert verdict(estimate, rising[::-1]) is Verdict.NOISY
    assert verdict(estimate, rising[:10]) is not Verdict.THROTTLED
