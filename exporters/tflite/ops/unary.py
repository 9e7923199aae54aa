"""Elementwise operators of one operand."""

from __future__ import annotations

from collections.abc import Callable

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import adopt
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.versions import Table


def _legalize(node: ir.Node) -> None:
    adopt(node)


def _lowering(
    op: int,
    integer: IntegerForm = IntegerForm.NONE,
    options: Callable[[], Table] | None = None,
) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        builder.emit(op, node, options=options and options())

    return Lowering(emit=emit, integer=integer, role=Role.ANY)


LOWER = {
    "Abs": _lowering(Op.ABS, IntegerForm.FREE, schema.AbsOptionsT),
    "Ceil": _lowering(Op.CEIL),
    "Cos": _lowering(Op.COS, options=schema.CosOptionsT),
    "Exp": _lowering(Op.EXP, IntegerForm.FREE, schema.ExpOptionsT),
    "Floor": _lowering(Op.FLOOR),
    "Log": _lowering(Op.LOG, IntegerForm.FREE),
    "Neg": _lowering(Op.NEG, options=schema.NegOptionsT),
    "Round": _lowering(Op.ROUND),
    "Sigmoid": _lowering(Op.LOGISTIC, IntegerForm.LOGISTIC),
    "Sign": _lowering(Op.SIGN),
    "Sin": _lowering(Op.SIN),
    "Sqrt": _lowering(Op.SQRT),
    "Tanh": _lowering(Op.TANH, IntegerForm.TANH),
}
LEGALIZE = dict.fromkeys(LOWER, _legalize)
LOWER["Rsqrt"] = _lowering(Op.RSQRT)
