"""Picking elements along one axis: GATHER, or a slice where constant indices form a run.

``Select`` is a gather by a constant vector, which works in any axis order; ``Gather`` is the
general one, such as an embedding lookup.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Unsupported,
    adopt,
    constant_of,
    is_constant,
    normalize_axis,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import reorder_axis
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.slice import pick
from exporters.tflite.types import MOVABLE, WHOLE, type_of


def _legalize(node: ir.Node) -> None:
    source = required_input(node, 0)
    axis = normalize_axis(node.attributes.get_int("axis", 0), rank_of(source))
    node.attributes["axis"] = ir.AttrInt64("axis", axis)
    indices = constant_of(required_input(node, 1))
    if indices is None:
        if not is_constant(source):  # no token counts from the end of its table
            index = wrapped(Editor(node), node.inputs[1], shape_of(source)[axis])
            node.replace_input_with(1, index)
        adopt(node)
        return
    if is_constant(source):
        raise Unsupported("a gather of constants should have been folded")
    editor, out = Editor(node), shape_of(node.outputs[0])
    picked = pick(editor, source, axis, np.ravel(indices) % shape_of(source)[axis])
    editor.replace(picked if shape_of(picked) == out else editor.reshape(picked, out))


def wrapped(editor: Editor, indices: ir.Value | None, extent: int) -> ir.Value:
    """Return run-time *indices* with those below zero counted from the end of *extent* elements."""
    if indices is None:
        raise Unsupported("the index is missing")
    dtype = type_of(indices)
    if dtype not in WHOLE:
        indices, dtype = editor.cast(indices, ir.DataType.INT32), ir.DataType.INT32
    count = editor.constant(np.asarray(extent, dtype.numpy()))
    return editor.op("FloorMod", [indices, count], shape_of(indices))


def _emit_gather(node: ir.Node, builder: Builder) -> None:
    """Pick from *node*'s source; of an integer table only what was picked becomes float."""
    table = required_input(node, 0)
    if quant_of(table) is None or not is_constant(table) or quant_of(node.outputs[0]) is not None:
        _emit(node, builder)
        return
    out = node.outputs[0]
    picked = builder.picked(node, 0, shape_of(out))
    options = schema.GatherOptionsT(axis=node.attributes.get_int("axis", 0))
    builder.raw(Op.GATHER, [builder.integers(node, 0), builder.operand(node, 1)], [picked], options)
    builder.raw(Op.DEQUANTIZE, [picked], [builder.activation(out)], schema.DequantizeOptionsT())


def _emit(node: ir.Node, builder: Builder) -> None:
    axis = node.attributes.get_int("axis", 0)
    builder.emit(Op.GATHER, node, options=schema.GatherOptionsT(axis=axis))


LEGALIZE = {"Gather": _legalize}
LOWER = {
    "Gather": Lowering(emit=_emit_gather, integer=IntegerForm.SHARED, types=MOVABLE, typed=(0,)),
    "Select": Lowering(
        emit=_emit,
        integer=IntegerForm.SHARED,
        role=Role.ANY,
        reorder=reorder_axis,
        types=MOVABLE,
        typed=(0,),
    ),
}
