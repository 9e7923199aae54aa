from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.cosine import METRIC
from tests.tolerances import float64_sum


def test_by_hand() -> None:
    outputs = np.array([[1.0, 0.0], [3.0, 4.0], [1.0, 0.0], [1.0, 0.0]])
    reference = np.array([[2.0, 0.0], [4.0, 3.0], [0.0, 5.0], [-1.0, 0.0]])
    expected = (1.0 + 24 / 25 + 0.0 - 1.0) / 4
    assert METRIC.evaluate(outputs, reference) == pytest.approx(expected, abs=float64_sum(4))


def test_zero_vectors() -> None:
    zero, one = np.zeros((1, 3)), np.ones((1, 3))
    assert METRIC.evaluate(zero, zero) == 1.0
    assert METRIC.evaluate(zero, one) == METRIC.evaluate(one, zero) == 0.0


def test_float16_does_not_overflow() -> None:
    large = np.full((1, 64), 60_000, np.float16)
    assert METRIC.evaluate(large, large.astype(np.float32) / 2) == pytest.approx(
        1.0, abs=float64_sum(64)
    )
