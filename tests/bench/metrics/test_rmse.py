from __future__ import annotations

import numpy as np

from bench.metrics.mae import METRIC as MAE
from bench.metrics.rmse import METRIC


def test_by_hand() -> None:
    assert METRIC.evaluate(np.array([[1.0, 2.0]]), np.array([[4.0, 6.0]])) == np.sqrt(12.5)


def test_is_at_least_the_mean_error() -> None:
    random = np.random.default_rng(0)
    outputs, labels = random.normal(size=(2, 40, 3))
    assert METRIC.evaluate(outputs, labels) >= MAE.evaluate(outputs, labels)
