from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.top1 import METRIC
from compressor.errors import Code, EdgecError


def test_by_hand() -> None:
    outputs = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]])
    assert METRIC.evaluate(outputs, np.array([1, 0, 0, 0])) == 75.0


def test_first_of_equal_scores_wins() -> None:
    outputs = np.int8([[5, 5, 1]])
    assert METRIC.evaluate(outputs, np.array([0])) == 100.0
    assert METRIC.evaluate(outputs, np.array([1])) == 0.0


@pytest.mark.parametrize(
    "labels", [np.array([[1]]), np.float32([1]), np.uint8([1]), np.array([True])]
)
def test_labels_of_any_plain_form(labels: np.ndarray) -> None:
    assert METRIC.evaluate(np.array([[0.0, 1.0]]), labels) == 100.0


@pytest.mark.parametrize(
    "labels", [[2], [-1], [0.5], [np.nan], [np.inf], [[0, 1]], 0, ["0"], [0, 1]]
)
def test_labels_that_do_not_fit(labels: object) -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(np.array([[0.0, 1.0]]), np.array(labels))
    assert caught.value.code is Code.DATA_LABELS


def test_single_outputs_have_no_classes() -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(np.array([[0.7]]), np.array([0]))
    assert caught.value.code is Code.DATA_LABELS
