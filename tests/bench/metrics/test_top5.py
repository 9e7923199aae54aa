from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.top5 import METRIC
from compressor.errors import Code, EdgecError


def test_by_hand() -> None:
    outputs = np.arange(10.0)[np.newaxis]
    hits = [METRIC.evaluate(outputs, np.array([label])) for label in range(10)]
    assert hits == [0.0] * 5 + [100.0] * 5


def test_equal_scores_rank_by_class() -> None:
    outputs = np.zeros((1, 8))
    hits = [METRIC.evaluate(outputs, np.array([label])) for label in range(8)]
    assert hits == [100.0] * 5 + [0.0] * 3


def test_agrees_with_sorting() -> None:
    random = np.random.default_rng(0)
    outputs, labels = random.integers(-9, 9, (200, 12)), random.integers(0, 12, 200)
    best = np.argsort(-outputs, axis=1, kind="stable")[:, :5]
    assert METRIC.evaluate(outputs, labels) == 100 * (best == labels[:, None]).any(axis=1).mean()


def test_five_classes_are_too_few() -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(np.zeros((1, 5)), np.array([0]))
    assert caught.value.code is Code.DATA_LABELS
