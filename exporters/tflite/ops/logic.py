"""Comparisons, logic, choices by a mask, and the position of the largest element."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    adopt,
    normalize_axis,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.binary import align_operands, reorder_constants
from exporters.tflite.ops.protocol import Legalize, Lowering, Role
from exporters.tflite.versions import Table


def _legalize(node: ir.Node) -> None:
    align_operands(node)
    adopt(node)


def _legalize_position(node: ir.Node) -> None:
    """Drop the reduced axis, as TFLite does, and put it back where ONNX keeps it."""
    source, out = required_input(node, 0), node.outputs[0]
    axis = normalize_axis(node.attributes.get_int("axis", 0), rank_of(source))
    shape = shape_of(source)
    dropped = (*shape[:axis], *shape[axis + 1 :])
    editor = Editor(node)
    position = editor.op(node.op_type, [source], dropped, {"axis": axis}, dtype=out.dtype)
    editor.replace(
        position if shape_of(out) == dropped else editor.reshape(position, shape_of(out))
    )


def _emit_position(op: int, options: Callable[..., Table]) -> Callable[[ir.Node, Builder], None]:
    def emit(node: ir.Node, builder: Builder) -> None:
        axis = np.asarray(node.attributes.get_int("axis", 0), np.int32)
        inputs = [builder.operand(node, 0), builder.constant(axis, f"{node.name}/axis")]
        out = builder.activation(node.outputs[0])
        builder.emit(op, node, inputs, options(outputType=builder.type_of(out)))

    return emit


def _lowering(op: int, options: Callable[[], Table]) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        builder.emit(op, node, options=options())

    return Lowering(emit=emit, role=Role.ANY, reorder=reorder_constants)


_ELEMENTWISE = {
    "Equal": _lowering(Op.EQUAL, schema.EqualOptionsT),
    "Greater": _lowering(Op.GREATER, schema.GreaterOptionsT),
    "GreaterOrEqual": _lowering(Op.GREATER_EQUAL, schema.GreaterEqualOptionsT),
    "Less": _lowering(Op.LESS, schema.LessOptionsT),
    "LessOrEqual": _lowering(Op.LESS_EQUAL, schema.LessEqualOptionsT),
    "And": _lowering(Op.LOGICAL_AND, schema.LogicalAndOptionsT),
    "Or": _lowering(Op.LOGICAL_OR, schema.LogicalOrOptionsT),
    "Not": _lowering(Op.LOGICAL_NOT, schema.LogicalNotOptionsT),
    "Where": _lowering(Op.SELECT_V2, schema.SelectV2OptionsT),
}
LEGALIZE: dict[str, Legalize] = {
    **dict.fromkeys(_ELEMENTWISE, _legalize),
    "ArgMax": _legalize_position,
    "ArgMin": _legalize_position,
}
LOWER = {
    **_ELEMENTWISE,
    "ArgMax": Lowering(emit=_emit_position(Op.ARG_MAX, schema.ArgMaxOptionsT)),
    "ArgMin": Lowering(emit=_emit_position(Op.ARG_MIN, schema.ArgMinOptionsT)),
}
