from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.spearman import METRIC
from compressor.errors import Code, EdgecError
from tests.tolerances import float64_sum


def test_by_hand() -> None:
    """Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 - 6 * 4 / (5 * 24) = 0.8."""
    value = METRIC.evaluate(np.array([1.0, 2, 3, 4, 5]), np.array([20.0, 10, 40, 30, 50]))
    assert value == pytest.approx(0.8, abs=float64_sum(5))


def test_ties_share_ranks() -> None:
    """Ranks 1.5 1.5 3 against 1 2 3: covariance 1.5, variances 1.5 and 2."""
    value = METRIC.evaluate(np.array([0.0, 0.0, 1.0]), np.array([1.0, 2.0, 3.0]))
    assert value == pytest.approx(1.5 / np.sqrt(1.5 * 2), abs=float64_sum(3))


def test_any_rising_function_keeps_it() -> None:
    labels = np.random.default_rng(0).normal(size=40)
    assert METRIC.evaluate(np.exp(labels), labels) == pytest.approx(1.0, abs=float64_sum(40))
    assert METRIC.evaluate(-(labels**3), labels) == pytest.approx(-1.0, abs=float64_sum(40))


def test_constant_outputs_rank_nothing() -> None:
    assert METRIC.evaluate(np.zeros(3), np.array([1.0, 2, 3])) == 0.0


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [(np.zeros((3, 2)), np.zeros((3, 2))), (np.arange(3.0), np.ones(3))],
)
def test_what_cannot_be_ranked(outputs: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(outputs, labels)
    assert caught.value.code is Code.DATA_LABELS
