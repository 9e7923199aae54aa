"""Data movement: shapes, sizes and places that are written down."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.moves import concat_axis, pad_amounts, slice_indices
from compressor.ir.rewrite import add_constant, constant_of, free_name
from compressor.passes.removal._kept import Kept, edit_shape, places, set_input, set_integers

_END = np.iinfo(np.int64).max


def _reshape(node: ir.Node, kept: Kept) -> None:
    result = node.outputs[0]
    edit_shape(node, 1, {axis: kept.length(result, axis) for axis in kept.axes(result)})


def _constant_of_shape(node: ir.Node, kept: Kept) -> None:
    result = node.outputs[0]
    edit_shape(node, 0, {axis: kept.length(result, axis) for axis in kept.axes(result)})


def _resize(node: ir.Node, kept: Kept) -> None:
    result = node.outputs[0]
    if len(node.inputs) > 3 and node.inputs[3] is not None:
        edit_shape(node, 3, {axis: kept.length(result, axis) for axis in kept.axes(result)})


def _split(node: ir.Node, kept: Kept) -> None:
    rank = 0 if node.outputs[0].shape is None else len(node.outputs[0].shape)
    axis = concat_axis(node, rank)
    if any(kept.along(value, axis) is not None for value in node.outputs):
        node.attributes.pop("num_outputs", None)
        set_integers(node, 1, [kept.length(value, axis) for value in node.outputs])


def _pad(node: ir.Node, kept: Kept) -> None:
    result = node.outputs[0]
    rank = 0 if result.shape is None else len(result.shape)
    amounts, masks = pad_amounts(node, rank), kept.axes(result)
    if not masks or amounts is None:
        return
    for axis, mask in masks.items():
        before, after = amounts[axis]
        amounts[axis] = int(mask[:before].sum()), int(mask[len(mask) - after :].sum())
    set_integers(node, 1, [before for before, _ in amounts] + [after for _, after in amounts])
    if len(node.inputs) > 3:
        set_input(node, 3, None)


def _gather(node: ir.Node, kept: Kept) -> None:
    data, indices = node.inputs[0], constant_of(node.inputs[1])
    rank = 0 if data is None or data.shape is None else len(data.shape)
    axis = concat_axis(node, rank)
    mask, stays = kept.along(data, axis), kept.along(node.outputs[0], axis)
    if mask is None or indices is None or node.graph is None:
        return
    wanted = indices % len(mask)
    if stays is not None and indices.ndim == 1:
        wanted = wanted[stays]
    name = f"{node.outputs[0].name}_kept"
    moved = places(mask, wanted.astype(np.int64)).astype(indices.dtype)
    set_input(node, 1, add_constant(node.graph, name, moved))


def _slice(node: ir.Node, kept: Kept) -> None:
    """Cut by bounds where what stays is evenly spaced, else pick it by a Gather behind."""
    source = node.inputs[0]
    rank = 0 if source is None or source.shape is None else len(source.shape)
    starts, ends = constant_of(node.inputs[1]), constant_of(node.inputs[2])
    if not kept.axes(source) or starts is None or ends is None:
        return
    named = _listed(node, 3, np.arange(len(starts))) % rank
    steps = _listed(node, 4, np.ones(len(starts), np.int64))
    starts, ends = starts.astype(np.int64), ends.astype(np.int64)
    for entry, axis in enumerate(named.tolist()):
        mask = kept.along(source, axis)
        if mask is None:
            continue
        taken = slice_indices(node, axis, len(mask), rank)
        if taken is None:
            raise ValueError("an axis that only the data cuts is never pruned")
        moved = places(mask, taken[mask[taken]])
        if not _is_even(moved):
            _gather_behind(node, axis, moved)
            moved = np.arange(mask.sum())
        starts[entry], ends[entry], steps[entry] = _bounds(moved)
    for index, entries in enumerate((starts, ends, named, steps), start=1):
        set_integers(node, index, entries)


def _listed(node: ir.Node, index: int, default: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    found = constant_of(node.inputs[index]) if len(node.inputs) > index else None
    return default if found is None else found.astype(np.int64)


def _is_even(moved: npt.NDArray[np.int64]) -> bool:
    steps = np.diff(moved)
    return len(moved) > 0 and bool((steps == steps[:1]).all()) and steps[:1].tolist() != [0]


def _bounds(moved: npt.NDArray[np.int64]) -> tuple[int, int, int]:
    step = int(moved[1] - moved[0]) if len(moved) > 1 else 1
    end = int(moved[-1]) + step
    return int(moved[0]), end if end >= 0 else -_END, step


def _gather_behind(node: ir.Node, axis: int, moved: npt.NDArray[np.int64]) -> None:
    """Let a Gather pick *moved* along *axis* of what *node* makes, and take over its name."""
    graph, result = node.graph, node.outputs[0]
    if graph is None:
        raise ValueError("the node is in no graph")
    indices = add_constant(graph, f"{result.name}_picked", moved)
    users = list(result.uses())
    gather = ir.node("Gather", [result, indices], {"axis": axis}, name=f"{node.name}_pick")
    picked = gather.outputs[0]
    picked.shape, picked.type = result.shape, result.type
    graph.insert_after(node, gather)
    name = result.name
    result.name, result.shape = free_name(graph, f"{name}_cut"), None
    picked.name = name
    for use in users:
        use.node.replace_input_with(use.idx, picked)


RULES = {
    "ConstantOfShape": _constant_of_shape,
    "Expand": _reshape,
    "Gather": _gather,
    "Pad": _pad,
    "Reshape": _reshape,
    "Resize": _resize,
    "Slice": _slice,
    "Split": _split,
}
