"""What the settings of data-movement operators say, with the defaults of ONNX filled in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.rewrite import attribute_ints, constant_of


def transpose_order(node: ir.Node, rank: int) -> list[int]:
    """Return the axes that a Transpose takes, in the order of its output."""
    return attribute_ints(node, "perm", list(range(rank))[::-1])


def concat_axis(node: ir.Node, rank: int) -> int:
    """Return the ``axis`` of *node*, counted from the front of *rank* axes."""
    return node.attributes.get_int("axis", 0) % max(rank, 1)


def pad_amounts(node: ir.Node, rank: int) -> list[tuple[int, int]] | None:
    """Return what a Pad puts before and after each axis; None where that is not constant."""
    pads = constant_of(node.inputs[1])
    axes = _constant_list(node, 3, list(range(rank)))
    if pads is None or axes is None:
        return None
    amounts = [(0, 0)] * rank
    half = len(pads) // 2
    for axis, before, after in zip(axes, pads[:half], pads[half:], strict=True):
        amounts[axis % rank] = (int(before), int(after))
    return amounts


def slice_indices(node: ir.Node, axis: int, length: int, rank: int) -> npt.NDArray[np.int64] | None:
    """Return what a Slice takes of *axis*, of *length*; None where that is not constant."""
    starts, ends = constant_of(node.inputs[1]), constant_of(node.inputs[2])
    if starts is None or ends is None:
        return None
    axes = _constant_list(node, 3, list(range(len(starts))))
    steps = _constant_list(node, 4, [1] * len(starts))
    if axes is None or steps is None:
        return None
    indices = np.arange(length)
    for start, end, named, step in zip(starts, ends, axes, steps, strict=True):
        if named % rank == axis:
            stop = None if step < 0 and end < -length else int(end)
            return indices[slice(int(start), stop, step)]
    return indices


def _constant_list(node: ir.Node, index: int, default: list[int]) -> list[int] | None:
    value = node.inputs[index] if len(node.inputs) > index else None
    if value is None:
        return default
    constant = constant_of(value)
    return None if constant is None else [int(entry) for entry in constant]
