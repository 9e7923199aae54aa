"""Patterns of positions: triangles of matrices, running sums, one-hot vectors."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    constant_input,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.types import NUMBERS, WHOLE, type_of


def _legalize_triangle(node: ir.Node) -> None:
    """Choose between the elements and zero by a constant mask."""
    editor, source = Editor(node), required_input(node, 0)
    given = optional_input(node, 1)
    diagonal = 0 if given is None else int(constant_input(node, 1, "the diagonal").item())
    ones = np.ones(shape_of(source)[-2:], np.bool_)
    upper = node.attributes.get_int("upper", 1) == 1
    mask = editor.constant(np.triu(ones, diagonal) if upper else np.tril(ones, diagonal))
    zero = editor.constant(np.zeros((), type_of(source).numpy()))
    editor.replace(editor.elementwise("Where", mask, source, zero))


def _legalize_running_sum(node: ir.Node) -> None:
    source = required_input(node, 0)
    axis = normalize_axis(int(constant_input(node, 1, "the axis").item()), rank_of(source))
    flags = {name: node.attributes.get_int(name, 0) for name in ("exclusive", "reverse")}
    editor = Editor(node)
    editor.replace(editor.op("CumSum", [source], shape_of(source), {"axis": axis, **flags}))


def _emit_running_sum(node: ir.Node, builder: Builder) -> None:
    axis = np.asarray(node.attributes.get_int("axis", 0), np.int32)
    inputs = [builder.operand(node, 0), builder.constant(axis, f"{node.name}/axis")]
    options = schema.CumsumOptionsT(
        exclusive=bool(node.attributes.get_int("exclusive", 0)),
        reverse=bool(node.attributes.get_int("reverse", 0)),
    )
    builder.emit(Op.CUMSUM, node, inputs, options)


def _legalize_one_hot(node: ir.Node) -> None:
    """Compare with 0, 1, 2 and so on; an index below zero counts from the end."""
    editor, indices = Editor(node), required_input(node, 0)
    depth = int(constant_input(node, 1, "the depth").item())
    if type_of(indices) not in WHOLE:
        indices = editor.cast(indices, ir.DataType.INT32)
    rank = rank_of(indices) + 1
    axis = normalize_axis(node.attributes.get_int("axis", -1), rank)
    shape = shape_of(indices)
    column = editor.reshape(indices, (*shape[:axis], 1, *shape[axis:]))
    counts = np.arange(depth).reshape(-1, *(1,) * (rank - axis - 1))
    kind = type_of(indices).numpy()
    straight, wrapped = (editor.constant((counts - back).astype(kind)) for back in (0, depth))
    found = editor.elementwise(
        "Or",
        editor.elementwise("Equal", column, straight),
        editor.elementwise("Equal", column, wrapped),
    )
    off, on = _values(editor, required_input(node, 2))
    editor.replace(editor.elementwise("Where", found, on, off))


def _values(editor: Editor, values: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return the first and the second of two *values*, as scalars."""
    off, on = (
        editor.op("Slice", [values], (1,), {"begin": [index]}, dtype=values.dtype)
        for index in (0, 1)
    )
    return off, on


LEGALIZE: dict[str, Legalize] = {
    "Trilu": _legalize_triangle,
    "CumSum": _legalize_running_sum,
    "OneHot": _legalize_one_hot,
}
LOWER: dict[str, Lowering] = {"CumSum": Lowering(emit=_emit_running_sum, types=NUMBERS)}
