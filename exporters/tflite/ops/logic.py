"""Comparisons, logic, and choices by a mask."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import adopt, required_input, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.binary import align_operands, reorder_constants
from exporters.tflite.ops.protocol import Legalize, Lowering, Role
from exporters.tflite.types import NUMBERS
from exporters.tflite.versions import Table


def _legalize(node: ir.Node) -> None:
    align_operands(node)
    adopt(node)


def _legalize_different(node: ir.Node) -> None:
    """Rewrite exclusive-or: one of two truths, but not the other."""
    align_operands(node)
    adopt(node, "NotEqual")


def _legalize_nan(node: ir.Node) -> None:
    """Only what is not a number differs from itself."""
    editor, source = Editor(node), required_input(node, 0)
    shape = shape_of(source)
    editor.replace(editor.op("NotEqual", [source, source], shape, dtype=ir.DataType.BOOL))


def _legalize_infinite(node: ir.Node) -> None:
    editor, source = Editor(node), required_input(node, 0)
    positive = node.attributes.get_int("detect_positive", 1) == 1
    negative = node.attributes.get_int("detect_negative", 1) == 1
    if positive and negative:
        source = editor.elementwise("Abs", source)
    bound = editor.constant(np.float32(np.inf if positive else -np.inf))
    if not (positive or negative):
        bound = editor.constant(np.float32(np.nan))  # equals nothing
    editor.replace(editor.elementwise("Equal", source, bound))


def _lowering(
    op: int,
    options: Callable[[], Table],
    types: frozenset[ir.DataType] = NUMBERS,
    typed: tuple[int, ...] | None = None,
) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        builder.emit(op, node, options=options())

    return Lowering(emit=emit, role=Role.ANY, reorder=reorder_constants, types=types, typed=typed)


_BOOLEANS = frozenset({ir.DataType.BOOL})
_ELEMENTWISE: dict[str, Lowering] = {
    "Equal": _lowering(Op.EQUAL, schema.EqualOptionsT, NUMBERS | _BOOLEANS),
    "NotEqual": _lowering(Op.NOT_EQUAL, schema.NotEqualOptionsT, NUMBERS | _BOOLEANS),
    "Greater": _lowering(Op.GREATER, schema.GreaterOptionsT),
    "GreaterOrEqual": _lowering(Op.GREATER_EQUAL, schema.GreaterEqualOptionsT),
    "Less": _lowering(Op.LESS, schema.LessOptionsT),
    "LessOrEqual": _lowering(Op.LESS_EQUAL, schema.LessEqualOptionsT),
    "And": _lowering(Op.LOGICAL_AND, schema.LogicalAndOptionsT, _BOOLEANS),
    "Or": _lowering(Op.LOGICAL_OR, schema.LogicalOrOptionsT, _BOOLEANS),
    "Not": _lowering(Op.LOGICAL_NOT, schema.LogicalNotOptionsT, _BOOLEANS),
    "Where": _lowering(Op.SELECT_V2, schema.SelectV2OptionsT, NUMBERS | _BOOLEANS, (1, 2)),
}
LEGALIZE: dict[str, Legalize] = {
    **dict.fromkeys(_ELEMENTWISE.keys() - {"NotEqual"}, _legalize),
    "Xor": _legalize_different,
    "IsNaN": _legalize_nan,
    "IsInf": _legalize_infinite,
}
LOWER = _ELEMENTWISE
