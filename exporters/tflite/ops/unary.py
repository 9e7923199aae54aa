"""Elementwise operators of one operand."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import adopt, required_input
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import FLOATS, NUMBERS, type_of
from exporters.tflite.versions import Table


def _legalize(node: ir.Node) -> None:
    adopt(node)


def _legalize_abs(node: ir.Node) -> None:
    """Keep it; of 64-bit integers it is the larger one of each and its opposite."""
    source = required_input(node, 0)
    if type_of(source) != ir.DataType.INT64:
        adopt(node)
        return
    editor = Editor(node)
    editor.replace(editor.elementwise("Max", source, editor.elementwise("Neg", source)))


def _lowering(
    op: int,
    integer: IntegerForm = IntegerForm.NONE,
    options: Callable[[], Table] | None = None,
    types: frozenset[ir.DataType] = FLOATS,
) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        builder.emit(op, node, options=options and options())

    return Lowering(emit=emit, integer=integer, role=Role.ANY, types=types)


_INT32 = frozenset({ir.DataType.INT32})
LOWER = {
    "Abs": _lowering(Op.ABS, IntegerForm.FREE, schema.AbsOptionsT, FLOATS | _INT32),
    "Ceil": _lowering(Op.CEIL),
    "Cos": _lowering(Op.COS, options=schema.CosOptionsT),
    "Exp": _lowering(Op.EXP, IntegerForm.FREE, schema.ExpOptionsT),
    "Floor": _lowering(Op.FLOOR),
    "Log": _lowering(Op.LOG, IntegerForm.FREE),
    "Neg": _lowering(Op.NEG, options=schema.NegOptionsT, types=NUMBERS),
    "Round": _lowering(Op.ROUND),
    "Sigmoid": _lowering(Op.LOGISTIC, IntegerForm.LOGISTIC),
    "Sign": _lowering(Op.SIGN, types=FLOATS | _INT32),
    "Sin": _lowering(Op.SIN),
    "Sqrt": _lowering(Op.SQRT),
    "Tanh": _lowering(Op.TANH, IntegerForm.TANH),
}
LEGALIZE = dict.fromkeys(LOWER, _legalize) | {"Abs": _legalize_abs}
LOWER["Rsqrt"] = _lowering(Op.RSQRT)
