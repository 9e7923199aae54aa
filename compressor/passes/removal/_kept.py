"""What stays of each axis, as the rewriting rules ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.result import Mask, Site
from compressor.analyses.coupling.targets import piece_at, shape_pieces
from compressor.analyses.coupling.tracer import length_of
from compressor.ir.rewrite import add_constant, constant_of, free_name


@dataclass(frozen=True)
class Kept:
    """Masks of what stays, by value and axis; axes that lose nothing are not listed."""

    masks: Mapping[Site, Mask]

    def along(self, value: ir.Value | None, axis: int) -> Mask | None:
        """Return what stays of *axis* of *value*, None when all does."""
        return None if value is None else self.masks.get((value.name or "", axis))

    def axes(self, value: ir.Value | None) -> dict[int, Mask]:
        """Return what stays of the axes of *value* that lose something."""
        rank = 0 if value is None or value.shape is None else len(value.shape)
        found = {axis: self.along(value, axis) for axis in range(rank)}
        return {axis: mask for axis, mask in found.items() if mask is not None}

    def length(self, value: ir.Value | None, axis: int) -> int:
        """Return the length that *axis* of *value* will have."""
        mask = self.along(value, axis)
        if mask is not None:
            return int(mask.sum())
        dim = length_of(value, axis)
        if dim is None:
            raise ValueError("an open axis has no length")
        return dim


def places(mask: Mask | None, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where what stands at *indices* of an axis stands when only *mask* stays of it."""
    return indices if mask is None else np.cumsum(mask)[indices] - 1


def set_input(node: ir.Node, index: int, value: ir.Value | None) -> None:
    """Let *node* read *value* as input *index*, which may not exist yet."""
    if index >= len(node.inputs):
        node.resize_inputs(index + 1)
    node.replace_input_with(index, value)


def set_integers(node: ir.Node, index: int, entries: npt.ArrayLike) -> None:
    """Give *node* a constant of its own with the int64 *entries* as input *index*."""
    graph = node.graph
    if graph is None:
        raise ValueError("the node is in no graph")
    name = f"{node.outputs[0].name}_kept"
    set_input(node, index, add_constant(graph, name, np.asarray(entries, np.int64)))


def edit_shape(node: ir.Node, index: int, lengths: Mapping[int, int]) -> None:
    """Write *lengths* into the entries, by place, of the shape that *node* reads as *index*.

    Entries of -1 follow from the others and stay.
    """
    shape = node.inputs[index]
    if shape is not None and lengths:
        set_input(node, index, _edited(node, shape, lengths))


def _edited(node: ir.Node, shape: ir.Value, lengths: Mapping[int, int]) -> ir.Value:
    graph, entries = node.graph, constant_of(shape)
    if graph is None:
        raise ValueError("the node is in no graph")
    name = f"{node.outputs[0].name}_kept"
    if entries is not None:
        changed = entries.copy()
        for axis, length in lengths.items():
            changed[axis] = changed[axis] if changed[axis] == -1 else length
        return add_constant(graph, name, changed)
    pieces: list[ir.Value] = shape_pieces(shape)
    wanted: dict[int, dict[int, int]] = {}
    for axis, length in lengths.items():
        found = piece_at(shape, axis)
        if found is None:
            raise ValueError(f"entry {axis} of '{shape.name}' cannot be edited")
        wanted.setdefault(found[0], {})[found[1]] = length
    for piece, edits in wanted.items():
        pieces[piece] = _edited(node, pieces[piece], edits)
    joined = ir.node("Concat", pieces, {"axis": 0}, name=f"{node.name}_shape")
    value = joined.outputs[0]
    value.name, value.shape, value.type = free_name(graph, name), shape.shape, shape.type
    graph.insert_before(node, joined)
    return value
