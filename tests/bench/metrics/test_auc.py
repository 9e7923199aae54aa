from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.auc import METRIC
from compressor.errors import Code, EdgecError
from tests.tolerances import float64_sum


def _by_pairs(scores: np.ndarray, labels: np.ndarray) -> float:
    """The definition: share of pairs (positive, negative) in the right order, ties half."""
    ones, zeros = scores[labels == 1], scores[labels == 0]
    above = (ones[:, None] > zeros).sum() + 0.5 * (ones[:, None] == zeros).sum()
    return float(above / (len(ones) * len(zeros)))


@pytest.mark.parametrize("form", ["flat", "column", "logits"])
def test_two_classes_against_the_definition(form: str) -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 80)
    scores = np.round(labels + random.normal(0, 1, 80), 1)  # with ties
    other = np.zeros_like(scores)
    outputs = {
        "flat": scores,
        "column": scores[:, None],
        "logits": np.stack([other, scores], axis=1),
    }[form]
    expected = _by_pairs(scores, labels)
    assert METRIC.evaluate(outputs, labels) == pytest.approx(expected, abs=float64_sum(80))


def test_several_classes_are_each_against_the_rest() -> None:
    random = np.random.default_rng(1)
    labels = random.integers(0, 3, 60)
    chances = random.dirichlet(np.ones(3), 60)
    expected = np.mean([_by_pairs(chances[:, c], labels == c) for c in range(3)])
    assert METRIC.evaluate(chances, labels) == pytest.approx(expected, abs=float64_sum(60))


def test_logits_and_their_softmax_are_equal() -> None:
    random = np.random.default_rng(2)
    logits, labels = 5 * random.normal(size=(50, 4)), random.integers(0, 4, 50)
    powers = np.exp(logits)
    chances = powers / powers.sum(axis=1, keepdims=True)
    assert METRIC.evaluate(logits, labels) == pytest.approx(
        METRIC.evaluate(chances, labels), abs=float64_sum(50)
    )


def test_absent_classes_are_left_out() -> None:
    chances = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])
    assert METRIC.evaluate(chances, np.array([0, 1])) == 1.0


def test_large_logits_do_not_overflow() -> None:
    assert METRIC.evaluate(np.array([[1e4, -1e4], [-1e4, 1e4]]), np.array([0, 1])) == 1.0


def test_one_class_is_not_enough() -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(np.array([0.1, 0.2]), np.array([1, 1]))
    assert caught.value.code is Code.DATA_LABELS
