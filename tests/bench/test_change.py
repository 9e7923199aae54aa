"""A change is called when it is there, and not when it is not: twenty trials each."""

import numpy as np
import pytest

from bench.change import Direction, change, mann_whitney, times_of

TRIALS = 20
RUNS = 200
NOISE = 0.05  # spread of single runs on a machine that does other things, too


def times(random: np.random.Generator, factor: float) -> np.ndarray:
    usual = random.lognormal(0, NOISE, RUNS)
    spikes = random.random(RUNS) < 0.05
    return np.asarray(factor * usual * np.where(spikes, random.uniform(2, 10, RUNS), 1) * 1e6)


@pytest.mark.parametrize(
    ("factor", "expected"),
    [(1.0, Direction.SAME), (1.02, Direction.SAME), (1.1, Direction.SLOWER), (0.9, "faster")],
)
def test_every_trial_is_called_right(factor: float, expected: Direction | str) -> None:
    for trial in range(TRIALS):
        random = np.random.default_rng(trial)
        found = change(times(random, factor), times(random, 1.0), model="m", target="ort")
        assert found.direction is Direction(expected), (trial, found)
        assert found.ratio.low <= found.ratio.value <= found.ratio.high


def test_p_values_are_uniform_without_a_change() -> None:
    found = []
    for trial in range(400):
        random = np.random.default_rng(trial)
        found.append(mann_whitney(random.standard_normal(30), random.standard_normal(40)))
    for share in (0.05, 0.5):
        assert np.mean(np.asarray(found) < share) == pytest.approx(share, abs=0.08)


def test_p_value_of_a_known_case() -> None:
    """All of ten above all of ten others: the statistic is 0, the mean 50, the variance 175."""
    low, high = np.arange(10.0), np.arange(10.0) + 100
    assert mann_whitney(low, high) == pytest.approx(1.83e-4, rel=0.01)
    assert mann_whitney(high, low) == mann_whitney(low, high)


def test_equal_times_are_no_change() -> None:
    same = np.full(20, 3.0)
    assert mann_whitney(same, same) == 1.0
    assert change(same, same, model="m", target="t").direction is Direction.SAME


def test_times_of_a_cell() -> None:
    cell = {"latency": {"elapsed_ns": [200, 400], "repeats": 2}}
    found = times_of(cell)
    assert found is not None
    assert found.tolist() == [100.0, 200.0]
    assert times_of({"latency": None}) is None
