"""Copies of a tensor: BROADCAST_TO and TILE."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    constant_input,
    constant_of,
    ints,
    rank_of,
    required_input,
    set_ints,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import MOVABLE


def _legalize_expand(node: ir.Node) -> None:
    """Drop it where nothing is repeated, fold constants, else broadcast at equal rank."""
    source, shape = required_input(node, 0), shape_of(node.outputs[0])
    editor, array = Editor(node), constant_of(source)
    if shape_of(source) == shape:
        editor.replace(source)
        return
    if array is not None:
        expanded = np.ascontiguousarray(np.broadcast_to(array, shape))
        editor.replace(editor.constant(expanded, quant_of(source), source.name or ""))
        return
    full = (1,) * (len(shape) - rank_of(source)) + shape_of(source)
    if full == shape:
        editor.replace(editor.reshape(source, shape))
        return
    aligned = source if full == shape_of(source) else editor.reshape(source, full)
    editor.replace(editor.op("Expand", [aligned], shape, quant=quant_of(node.outputs[0])))


def _legalize_tile(node: ir.Node) -> None:
    source = required_input(node, 0)
    repeats = [int(n) for n in constant_input(node, 1, "the number of copies")]
    editor = Editor(node)
    if all(n == 1 for n in repeats):
        editor.replace(source)
        return
    shape = shape_of(node.outputs[0])
    editor.replace(editor.op("Tile", [source], shape, {"repeats": repeats}))


def _reorder_tile(node: ir.Node, order: Shape) -> None:
    repeats = ints(node, "repeats")
    set_ints(node, "repeats", [repeats[axis] for axis in order])


def _emit_expand(node: ir.Node, builder: Builder) -> None:
    shape = builder.shape(shape_of(node.outputs[0]), node, "shape")
    inputs = [builder.operand(node, 0), shape]
    builder.emit(Op.BROADCAST_TO, node, inputs, schema.BroadcastToOptionsT())


def _emit_tile(node: ir.Node, builder: Builder) -> None:
    inputs = [builder.operand(node, 0), builder.shape(ints(node, "repeats"), node, "multiples")]
    builder.emit(Op.TILE, node, inputs, schema.TileOptionsT())


LEGALIZE = {"Expand": _legalize_expand, "Tile": _legalize_tile}
LOWER = {
    "Expand": Lowering(emit=_emit_expand, integer=IntegerForm.SHARED, types=MOVABLE, role=Role.ANY),
    "Tile": Lowering(
        emit=_emit_tile,
        integer=IntegerForm.SHARED,
        types=MOVABLE,
        role=Role.ANY,
        reorder=_reorder_tile,
    ),
}
