"""CONCATENATION."""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import Shape, adopt, normalize_axis, rank_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.binary import reorder_constants
from exporters.tflite.ops.operands import reorder_axis
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import MOVABLE


def _legalize(node: ir.Node) -> None:
    first = node.inputs[0]
    if len(node.inputs) == 1 and first is not None:
        Editor(node).replace(first)
        return
    axis = normalize_axis(node.attributes.get_int("axis", 0), rank_of(node.outputs[0]))
    node.attributes["axis"] = ir.AttrInt64("axis", axis)
    adopt(node)


def _reorder(node: ir.Node, order: Shape) -> None:
    reorder_axis(node, order)
    reorder_constants(node, order)


def _emit(node: ir.Node, builder: Builder) -> None:
    axis = node.attributes.get_int("axis", 0)
    builder.emit(Op.CONCATENATION, node, options=schema.ConcatenationOptionsT(axis=axis))


LEGALIZE = {"Concat": _legalize}
LOWER = {
    "Concat": Lowering(
        emit=_emit, integer=IntegerForm.SHARED, role=Role.ANY, reorder=_reorder, types=MOVABLE
    )
}
