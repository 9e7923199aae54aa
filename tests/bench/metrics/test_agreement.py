from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.agreement import METRIC
from compressor.errors import Code, EdgecError


def test_by_hand() -> None:
    reference = np.array([[1.0, 2.0], [2.0, 1.0]])
    assert METRIC.evaluate(np.array([[0.0, 9.0], [0.0, 9.0]]), reference) == 50.0


def test_scales_do_not_matter() -> None:
    reference = np.random.default_rng(0).normal(size=(50, 7))
    assert METRIC.evaluate(3 * reference - 1, reference) == 100.0


def test_other_sizes_are_refused() -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(np.zeros((2, 3)), np.zeros((2, 4)))
    assert caught.value.code is Code.DATA_LABELS
