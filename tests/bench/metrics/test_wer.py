from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metrics.wer import METRIC, edits
from compressor.errors import Code, EdgecError

WORDS = st.lists(st.integers(0, 3), max_size=6)


@pytest.mark.parametrize(
    ("answer", "reference", "count"),
    [
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("abc", "", 3),
        ("flaw", "lawn", 2),
        ("same", "same", 0),
    ],
)
def test_known_distances(answer: str, reference: str, count: int) -> None:
    assert edits([*map(ord, answer)], [*map(ord, reference)]) == count


@given(WORDS, WORDS, WORDS)
def test_is_a_distance(a: list[int], b: list[int], c: list[int]) -> None:
    assert edits(a, b) == edits(b, a)
    assert (edits(a, b) == 0) == (a == b)
    assert edits(a, c) <= edits(a, b) + edits(b, c)
    assert abs(len(a) - len(b)) <= edits(a, b) <= max(len(a), len(b))


def test_long_references_weigh_more() -> None:
    outputs = np.array([[1, 2, 3, 4], [5, -1, -1, -1]])
    labels = np.array([[1, 2, 3, 9], [6, -1, -1, -1]])
    assert METRIC.evaluate(outputs, labels) == pytest.approx(100 * 2 / 5)
    assert not METRIC.higher_is_better


def test_scores_are_decoded_as_ctc_has_it() -> None:
    path = [1, 1, 0, 1, 2, 2, 0, 0]  # 1 1 2
    outputs = np.eye(3)[[path]]
    assert METRIC.evaluate(outputs, np.array([[1, 1, 2]])) == 0.0
    assert METRIC.evaluate(outputs, np.array([[1, 2, -1]])) == pytest.approx(50.0)


@pytest.mark.parametrize(
    ("outputs", "labels"),
    [
        (np.zeros((2, 3), int), np.zeros((2, 3))),
        (np.zeros((2, 3), int), np.zeros(2, int)),
        (np.zeros(2, int), np.zeros((2, 3), int)),
    ],
)
def test_other_forms_are_refused(outputs: np.ndarray, labels: np.ndarray) -> None:
    with pytest.raises(EdgecError) as caught:
        METRIC.evaluate(outputs, labels)
    assert caught.value.code is Code.DATA_LABELS
