from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.f1 import METRIC
from tests.tolerances import float64_sum


def test_by_hand() -> None:
    """Class 0: precision 2/3, recall 1, F1 0.8. Class 1: 1, 1/2, 2/3. Class 2 does not occur."""
    outputs = np.eye(3)[[0, 0, 0, 1]]
    expected = (0.8 + 2 / 3) / 2
    assert METRIC.evaluate(outputs, np.array([0, 0, 1, 1])) == pytest.approx(
        expected, abs=float64_sum(2)
    )


def test_a_class_that_is_only_predicted_counts_zero() -> None:
    assert METRIC.evaluate(np.eye(3)[[0, 2]], np.array([0, 0])) == pytest.approx(
        (2 / 3 + 0) / 2, abs=float64_sum(2)
    )


def test_equals_accuracy_where_classes_are_balanced_and_confused_evenly() -> None:
    labels = np.repeat(np.arange(4), 4)
    predicted = np.tile([0, 1, 2, 3], 4)
    assert METRIC.evaluate(np.eye(4)[predicted], labels) == 0.25
