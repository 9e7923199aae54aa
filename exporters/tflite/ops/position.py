"""Where the largest elements are: ARG_MAX, ARG_MIN and TOPK_V2."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    constant_input,
    normalize_axis,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Legalize, Lowering
from exporters.tflite.ops.slice import pick
from exporters.tflite.types import FLOATS, NUMBERS, type_of
from exporters.tflite.versions import Table


def _legalize_position(node: ir.Node) -> None:
    """Drop the reduced axis, as TFLite does, and put it back where ONNX keeps it.

    The last of equal elements is the first one from behind.
    """
    source, out = required_input(node, 0), node.outputs[0]
    axis = normalize_axis(node.attributes.get_int("axis", 0), rank_of(source))
    shape = shape_of(source)
    dropped, last = (*shape[:axis], *shape[axis + 1 :]), shape[axis] - 1
    editor = Editor(node)
    from_behind = node.attributes.get_int("select_last_index", 0) == 1
    if from_behind:
        source = pick(editor, source, axis, np.arange(last, -1, -1))
    position = editor.op(node.op_type, [source], dropped, {"axis": axis}, dtype=out.dtype)
    if from_behind:
        position = editor.elementwise("Sub", editor.constant(np.int64(last)), position)
    editor.replace(
        position if shape_of(out) == dropped else editor.reshape(position, shape_of(out))
    )


def _legalize_top(node: ir.Node) -> None:
    """Search along the last axis for the largest; the smallest are the largest of the opposites."""
    editor, source = Editor(node), required_input(node, 0)
    count = int(constant_input(node, 1, "the number of elements").item())
    axis = normalize_axis(node.attributes.get_int("axis", -1), rank_of(source))
    to_last = (*(a for a in range(rank_of(source)) if a != axis), axis)
    back = tuple(to_last.index(a) for a in range(rank_of(source)))
    smallest = node.attributes.get_int("largest", 1) == 0
    moved = _transposed(editor, source, to_last)
    if smallest:
        moved = _opposite(editor, moved)
    shape = (*shape_of(moved)[:-1], count)
    values, places = editor.node("TopK", [moved], [shape, shape])
    places.type = ir.TensorType(ir.DataType.INT32)
    if smallest:
        values = _opposite(editor, values)
    places = editor.cast(places, ir.DataType.INT64)
    editor.replace(*(_transposed(editor, value, back) for value in (values, places)))


def _transposed(editor: Editor, value: ir.Value, perm: Shape) -> ir.Value:
    return value if perm == tuple(sorted(perm)) else editor.transpose(value, perm)


def _opposite(editor: Editor, value: ir.Value) -> ir.Value:
    """Return *value* in reverse order of size; integers as ``-1 - x``, which cannot overflow."""
    if type_of(value) in FLOATS:
        return editor.elementwise("Neg", value)
    ones = editor.constant(np.asarray(-1).astype(type_of(value).numpy()))
    return editor.elementwise("Sub", ones, value)


def _emit_position(op: int, options: Callable[..., Table]) -> Callable[[ir.Node, Builder], None]:
    def emit(node: ir.Node, builder: Builder) -> None:
        axis = np.asarray(node.attributes.get_int("axis", 0), np.int32)
        inputs = [builder.operand(node, 0), builder.constant(axis, f"{node.name}/axis")]
        out = builder.activation(node.outputs[0])
        builder.emit(op, node, inputs, options(outputType=builder.type_of(out)))

    return emit


def _emit_top(node: ir.Node, builder: Builder) -> None:
    count = np.asarray(shape_of(node.outputs[0])[-1], np.int32)
    inputs = [builder.operand(node, 0), builder.constant(count, f"{node.name}/count")]
    builder.emit(Op.TOPK_V2, node, inputs, schema.TopKV2OptionsT())


LEGALIZE: dict[str, Legalize] = {
    "ArgMax": _legalize_position,
    "ArgMin": _legalize_position,
    "TopK": _legalize_top,
}
_INT32 = frozenset({ir.DataType.INT32})
LOWER: dict[str, Lowering] = {
    "ArgMax": Lowering(
        emit=_emit_position(Op.ARG_MAX, schema.ArgMaxOptionsT), types=FLOATS | _INT32
    ),
    "ArgMin": Lowering(
        emit=_emit_position(Op.ARG_MIN, schema.ArgMinOptionsT), types=FLOATS | _INT32
    ),
    "TopK": Lowering(emit=_emit_top, integer=IntegerForm.NONE, types=NUMBERS),
}
