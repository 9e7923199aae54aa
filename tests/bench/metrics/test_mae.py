from __future__ import annotations

import numpy as np

from bench.metrics.mae import METRIC


def test_by_hand() -> None:
    outputs, labels = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 4.0], [0.0, 4.0]])
    assert METRIC.evaluate(outputs, labels) == 1.25


def test_one_value_a_sample_takes_flat_labels() -> None:
    assert METRIC.evaluate(np.array([[1.0], [2.0]]), np.array([1.0, 4.0])) == 1.0
