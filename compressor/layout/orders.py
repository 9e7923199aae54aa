"""Axis orders as permutations: stored axis ``i`` is the source's axis ``order[i]``.

A tensor of rank 3 or more is stored channels first (as NCHW) or channels last (as NHWC). Which of
the two is the source's own order depends on where the source has its channels.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.annotations import quant_of

Shape = tuple[int, ...]

LOWEST_RANK = 3
RESHAPE_COST = 1


class Label(IntEnum):
    """How a tensor is stored."""

    FIRST = 0
    LAST = 1


def identity(rank: int) -> Shape:
    """Return the order that changes nothing."""
    return tuple(range(rank))


def to_last(rank: int) -> Shape:
    """Return the order that stores axis 1 last: NCHW as NHWC."""
    return (0, *range(2, rank), 1)


def to_first(rank: int) -> Shape:
    """Return the order that stores the last axis second: NHWC as NCHW."""
    return (0, rank - 1, *range(1, rank - 1))


def inverse(order: Shape) -> Shape:
    """Return the order that undoes *order*."""
    return tuple(order.index(axis) for axis in range(len(order)))


def compose(first: Shape, second: Shape) -> Shape:
    """Return the order of transposing by *first*, then by *second*."""
    return tuple(first[axis] for axis in second)


def apply(order: Shape, shape: Shape) -> Shape:
    """Return *shape* stored in *order*."""
    return tuple(shape[axis] for axis in order)


def stored_order(label: Label, source: Label, rank: int) -> Shape:
    """Return the order of a tensor stored as *label* whose source order is *source*."""
    if label is source or rank < LOWEST_RANK:
        return identity(rank)
    return to_last(rank) if label is Label.LAST else to_first(rank)


def moves_nothing(order: Shape, shape: Shape) -> bool:
    """Whether transposing *shape* by *order* leaves every element where it is in memory."""
    kept = [axis for axis in order if shape[axis] != 1]
    return kept == sorted(kept)


def transpose_cost(order: Shape, shape: Shape, itemsize: int) -> int:
    """Return the bytes that transposing *shape* by *order* moves; one unit for a bare RESHAPE."""
    if order == identity(len(order)):
        return 0
    if moves_nothing(order, shape):
        return RESHAPE_COST
    return int(np.prod(shape)) * itemsize + RESHAPE_COST


def positions(shape: Shape, order: Shape) -> npt.NDArray[np.int32]:
    """Return the source position of each element of *shape* stored in *order*; flat."""
    labels = np.arange(int(np.prod(shape)), dtype=np.int32)
    return labels.reshape(shape).transpose(order).ravel()


def item_size(value: ir.Value) -> int:
    """Return the bytes of one element of *value* at run time."""
    params = quant_of(value)
    if params is not None:
        return params.dtype.numpy.itemsize
    return 4 if value.dtype is None else int(value.dtype.itemsize)
