"""NON_MAX_SUPPRESSION_V4 for every image and class, the detections of all in one table.

TFLite selects for one class at a time and fills what is left of its list; which rows count is known
only at run time. They are brought to the front in their order, by sorting row numbers of which the
filling has negative ones, and the operator ``Counted`` says how many there are.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Unsupported,
    constant_input,
    constant_of,
    optional_input,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.ops.recurrence import concatenated
from exporters.tflite.types import FLOATS, MOVABLE

_INT32 = ir.DataType.INT32


def most_detections(node: ir.Node) -> int | None:
    """Return how many rows *node* makes at most, None when that is not known at compile time."""
    limit, scores = constant_of(optional_input(node, 2)), node.inputs[1]
    if limit is None or scores is None or scores.shape is None or not scores.shape.is_static():
        return None
    images, classes, boxes = shape_of(scores)
    return images * classes * min(int(limit.item()), boxes)


def _legalize(node: ir.Node) -> None:
    editor = Editor(node)
    images, classes, boxes = shape_of(required_input(node, 1))
    most = min(int(constant_input(node, 2, "the number of detections").item()), boxes)
    if most < 1:
        raise Unsupported("it keeps no detection")
    corners = _corners(editor, node)
    rows, counts = [], []
    for image in range(images):
        of_image = _part(editor, corners, (image,), (boxes, 4))
        for kind in range(classes):
            scores = _part(editor, required_input(node, 1), (image, kind), (boxes,))
            found, count = _selected(editor, node, of_image, scores, most)
            place = editor.constant(np.full((most, 2), (image, kind), np.int32))
            columns = [place, editor.reshape(found, (most, 1))]
            rows.append(concatenated(editor, columns, 1))
            counts.append(editor.reshape(count, (1,)))
    table, total = concatenated(editor, rows, 0), counts[0]
    if len(rows) > 1:
        table, total = _compacted(editor, table, counts, most)
    table = editor.cast(table, ir.DataType.INT64)
    editor.replace(editor.op("Counted", [table, total], shape_of(table), {"axis": 0}))


def _corners(editor: Editor, node: ir.Node) -> ir.Value:
    """Return the boxes `[B, N, 4]` as their lower and their upper corners."""
    boxes = required_input(node, 0)
    images, count, _ = shape_of(boxes)
    first, second = (
        editor.op("Slice", [boxes], (images, count, 2), {"begin": [0, 0, begin]})
        for begin in (0, 2)
    )
    if node.attributes.get_int("center_point_box", 0) == 1:
        half = editor.elementwise("Mul", second, editor.constant(np.float32(0.5)))
        lower, upper = (editor.elementwise(op, first, half) for op in ("Sub", "Add"))
    else:
        lower, upper = (editor.elementwise(op, first, second) for op in ("Min", "Max"))
    return concatenated(editor, [lower, upper], 2)


def _part(
    editor: Editor, value: ir.Value, index: tuple[int, ...], shape: tuple[int, ...]
) -> ir.Value:
    """Return ``value[index]``, of *shape*."""
    begin = [*index, *(0 for _ in shape)]
    size = (*(1 for _ in index), *shape)
    if size != shape_of(value):
        value = editor.op("Slice", [value], size, {"begin": begin})
    return editor.reshape(value, shape)


def _selected(
    editor: Editor, node: ir.Node, boxes: ir.Value, scores: ir.Value, most: int
) -> tuple[ir.Value, ir.Value]:
    """Return the boxes of one class that stay `[most]`, best first, and how many they are."""
    overlap = _threshold(node, 3, 0.0)
    least = _threshold(node, 4, float(np.finfo(np.float32).min))
    above = np.nextafter(np.float32(overlap), np.float32(np.inf))  # TFLite drops what equals it
    limits = [np.int32(most), above, np.float32(least)]
    inputs = [boxes, scores, *(editor.constant(limit) for limit in limits)]
    found, count = editor.node("Suppress", inputs, [(most,), ()], dtype=_INT32)
    return found, count


def _threshold(node: ir.Node, index: int, absent: float) -> float:
    if optional_input(node, index) is None:
        return absent
    return float(constant_input(node, index, "a threshold").item())


def _compacted(
    editor: Editor, table: ir.Value, counts: list[ir.Value], most: int
) -> tuple[ir.Value, ir.Value]:
    """Return *table* with the rows that count in front, in their order, and their number."""
    total = shape_of(table)[0]
    places = editor.constant(np.arange(most, dtype=np.int32))
    marks = [editor.elementwise("Less", places, count) for count in counts]
    real = concatenated(editor, marks, 0)
    front = editor.constant(np.arange(total, 0, -1, dtype=np.int32))
    back = editor.constant(-np.arange(total, dtype=np.int32))
    keys = editor.elementwise("Where", real, front, back)
    _, order = editor.node("TopK", [keys], [(total,), (total,)], dtype=_INT32)
    sorted_rows = editor.op("Gather", [table, order], shape_of(table), {"axis": 0})
    numbers = concatenated(editor, counts, 0)
    return sorted_rows, editor.op("Sum", [numbers], (1,), {"axes": [0]})


def _emit(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.NON_MAX_SUPPRESSION_V4, node, options=schema.NonMaxSuppressionV4OptionsT())


def _emit_head(node: ir.Node, builder: Builder) -> None:
    """Take as many rows as the second operand says, from the front."""
    out = node.outputs[0]
    begin = builder.shape([0] * len(shape_of(out)), node, "begin")
    inputs = [builder.operand(node, 0), begin, builder.operand(node, 1)]
    builder.emit(Op.SLICE, node, inputs, schema.SliceOptionsT())
    builder.leave_open(builder.activation(out), node.attributes.get_int("axis", 0))


def _never_left(node: ir.Node) -> str | None:
    return f"how many rows '{node.outputs[0].name}' has is known only at run time"


LEGALIZE: dict[str, Legalize] = {"NonMaxSuppression": _legalize}
LOWER: dict[str, Lowering] = {
    "Suppress": Lowering(emit=_emit, types=FLOATS, typed=(0, 1)),
    "Counted": Lowering(emit=_emit_head, check=_never_left, types=MOVABLE, typed=(0,)),
    "Head": Lowering(emit=_emit_head, types=MOVABLE, typed=(0,)),
}
