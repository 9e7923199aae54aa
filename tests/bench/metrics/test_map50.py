from __future__ import annotations

import numpy as np
import pytest

from bench.metrics.map50 import METRIC
from compressor.errors import Code, EdgecError

UNIT = (0.0, 0.0, 1.0, 1.0)
FAR = (5.0, 5.0, 6.0, 6.0)
NOTHING = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def found(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array([rows])


def test_a_perfect_answer() -> None:
    labels = np.array([[[0, *UNIT], [3, *FAR], [-1, 0, 0, 0, 0]]])
    outputs = found((*UNIT, 0.9, 0), (*FAR, 0.8, 3), NOTHING)
    assert METRIC.evaluate(outputs, labels) == 100.0


def test_a_second_box_on_one_object_is_wrong() -> None:
    """Order: right, wrong (taken), right. Precision 1 up to recall 1/2, then 2/3."""
    labels = np.array([[[0, *UNIT], [0, *FAR]]])
    outputs = found((*UNIT, 0.9, 0), (*UNIT, 0.8, 0), (*FAR, 0.7, 0))
    assert METRIC.evaluate(outputs, labels) == pytest.approx(100 * (51 * 1 + 50 * 2 / 3) / 101)


def test_overlap_of_one_half_is_enough_and_less_is_not() -> None:
    labels = np.array([[[0, *UNIT]]])
    assert METRIC.evaluate(found((0, 0, 1, 2, 0.9, 0)), labels) == 100.0
    assert METRIC.evaluate(found((0, 0, 1, 2.01, 0.9, 0)), labels) == 0.0


def test_a_box_of_another_class_or_image_finds_nothing() -> None:
    labels = np.array([[[0, *UNIT]], [[0, *FAR]]])
    outputs = np.array([[(*UNIT, 0.9, 1)], [(*UNIT, 0.9, 0)]])
    assert METRIC.evaluate(outputs, labels) == 0.0


def test_missed_objects_cost_recall() -> None:
    """One of two objects found: precision 1 at the 51 recalls up to one half."""
    labels = np.array([[[0, *UNIT], [0, *FAR]]])
    assert METRIC.evaluate(found((*UNIT, 0.9, 0)), labels) == pytest.approx(100 * 51 / 101)


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (np.zeros((2, 3, 5)), np.zeros((2, 3, 5))),
        (np.zeros((2, 3, 6)), np.zeros((2, 3))),
        (np.zeros((2, 3, 6)), np.full((2, 3, 5), -1)),
    ],
)
def test_other_forms_are_refused(outputs: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(outputs, labels)
    assert caught.value.code is Code.DATA_LABELS
