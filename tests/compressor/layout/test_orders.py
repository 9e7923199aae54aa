"""Orders compose, invert and cost as transposing an array does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compressor.layout.orders import (
    RESHAPE_COST,
    Label,
    apply,
    compose,
    identity,
    inverse,
    moves_nothing,
    positions,
    stored_order,
    to_first,
    to_last,
    transpose_cost,
)

SHAPES = st.lists(st.integers(1, 4), min_size=3, max_size=5).map(tuple)


Case = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@st.composite
def shapes_and_orders(draw: st.DrawFn) -> Case:
    shape = draw(SHAPES)
    axes = st.permutations(range(len(shape))).map(tuple)
    return shape, draw(axes), draw(axes)


@given(shapes_and_orders())
def test_compose_is_transposing_twice(case: Case) -> None:
    shape, first, second = case
    array = np.arange(np.prod(shape)).reshape(shape)
    twice = array.transpose(first).transpose(second)
    np.testing.assert_array_equal(twice, array.transpose(compose(first, second)))
    assert apply(first, shape) == array.transpose(first).shape


@given(shapes_and_orders())
def test_inverse_undoes(case: Case) -> None:
    _, order, _ = case
    assert compose(order, inverse(order)) == identity(len(order))


@given(shapes_and_orders())
def test_moves_nothing_agrees_with_memory(case: Case) -> None:
    shape, order, _ = case
    still = np.array_equal(positions(shape, order), np.arange(np.prod(shape)))
    assert moves_nothing(order, shape) == still


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_last_and_first_are_inverse(rank: int) -> None:
    assert inverse(to_last(rank)) == to_first(rank)


def test_stored_order_depends_on_where_the_source_has_its_channels() -> None:
    assert stored_order(Label.LAST, Label.FIRST, 4) == (0, 2, 3, 1)
    assert stored_order(Label.FIRST, Label.LAST, 4) == (0, 3, 1, 2)
    assert stored_order(Label.LAST, Label.LAST, 4) == (0, 1, 2, 3)
    assert stored_order(Label.LAST, Label.FIRST, 2) == (0, 1)


def test_cost_is_bytes_moved() -> None:
    assert transpose_cost((0, 1, 2), (1, 2, 3), 4) == 0
    assert transpose_cost((0, 2, 1), (1, 1, 3), 4) == RESHAPE_COST
    assert transpose_cost((0, 2, 1), (1, 2, 3), 4) == 24 + RESHAPE_COST
