from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.sqnr import METRIC
from tests.tolerances import float64_sum, uniform_power_db


def test_by_hand() -> None:
    reference = np.full((2, 50), 10.0)
    assert METRIC.evaluate(reference + 1, reference) == pytest.approx(20.0, abs=float64_sum(100))


def test_limits() -> None:
    one, zero = np.ones((1, 2)), np.zeros((1, 2))
    assert METRIC.evaluate(one, one) == np.inf
    assert METRIC.evaluate(zero, zero) == np.inf
    assert METRIC.evaluate(one, zero) == -np.inf


@pytest.mark.parametrize("bits", [6, 8, 10])
def test_rounding_gives_six_decibels_a_bit(bits: int) -> None:
    """Uniform values rounded to n bits: 6.02 n dB (Bennett, 1948)."""
    reference = np.random.default_rng(0).uniform(-1, 1, (1, 100_000))
    step = 2.0 / 2**bits
    value = METRIC.evaluate(np.round(reference / step) * step, reference)
    assert value == pytest.approx(20 * bits * np.log10(2), abs=2 * uniform_power_db(100_000))
