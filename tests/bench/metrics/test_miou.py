from __future__ import annotations

import numpy as np
import pytest

from bench.accuracy import compare_accuracy
from bench.metrics.miou import METRIC
from compressor.errors import Code, EdgecError
from tests.tolerances import float64_sum


def scores_of(classes: np.ndarray) -> np.ndarray:
    return np.moveaxis(np.eye(3)[classes], -1, 1)


def test_by_hand() -> None:
    """Class 0: 1 of 2 pixels; class 1: 1 of 3; class 2 occurs nowhere; one pixel is ignored."""
    found = np.array([[[0, 1], [1, 1]]])
    wanted = np.array([[[0, 0], [1, 255]]])
    expected = 100 * (1 / 2 + 1 / 2) / 2
    assert METRIC.evaluate(scores_of(found), wanted) == pytest.approx(expected)


def test_classes_may_be_the_last_axis() -> None:
    random = np.random.default_rng(0)
    outputs, labels = random.normal(size=(5, 3, 6, 7)), random.integers(0, 3, (5, 6, 7))
    last = np.moveaxis(outputs, 1, -1)
    assert METRIC.evaluate(last, labels) == METRIC.evaluate(outputs, labels)


def test_equals_a_count_over_all_pixels() -> None:
    random = np.random.default_rng(1)
    outputs, labels = random.normal(size=(9, 4, 5, 5)), random.integers(0, 4, (9, 5, 5))
    found = outputs.argmax(1)
    ratios = [
        ((found == c) & (labels == c)).sum() / ((found == c) | (labels == c)).sum()
        for c in range(4)
    ]
    assert METRIC.evaluate(outputs, labels) == pytest.approx(
        100 * np.mean(ratios), abs=100 * float64_sum(4)
    )


def test_drop_has_an_interval() -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, 3, (40, 6, 6))
    source = scores_of(labels) + random.normal(0, 0.3, (40, 3, 6, 6))
    artifact = source + random.normal(0, 0.5, source.shape)
    drop = compare_accuracy(METRIC, source, artifact, labels).drop
    assert drop is not None
    assert 0 < drop.low < drop.value < drop.high


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (np.zeros((2, 3, 4, 4)), np.zeros((2, 4, 5), int)),
        (np.zeros((2, 3, 4, 4)), np.full((2, 4, 4), 3)),
        (np.zeros((2, 3, 4, 4)), np.zeros((2, 4, 4))),
        (np.zeros((2, 3)), np.zeros(2, int)),
    ],
)
def test_labels_that_do_not_fit_are_refused(outputs: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(outputs, labels)
    assert caught.value.code is Code.DATA_LABELS
