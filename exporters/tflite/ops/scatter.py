"""Writing elements or rows at places: SCATTER_ND, or a gather where the places are constant.

SCATTER_ND starts from zeros and adds up what falls on one place. A sum is therefore the source plus
what is scattered; an assignment chooses between the two by where ones were scattered.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
    Shape,
    Unsupported,
    constant_of,
    normalize_axis,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.flat import element_places, tuple_places
from exporters.tflite.ops.gather_elements import gathered
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.types import NUMBERS, type_of

_COMBINED = {"add": "Add", "mul": "Mul", "max": "Max", "min": "Min"}


def _legalize_elements(node: ir.Node) -> None:
    editor, shape = Editor(node), shape_of(required_input(node, 0))
    axis = normalize_axis(node.attributes.get_int("axis", 0), len(shape))
    places = element_places(editor, required_input(node, 1), shape, axis)
    editor.replace(_written(editor, node, places, ()))


def _legalize_tuples(node: ir.Node) -> None:
    editor, shape = Editor(node), shape_of(required_input(node, 0))
    indices = required_input(node, 1)
    places = tuple_places(editor, indices, shape, 0)
    editor.replace(_written(editor, node, places, shape[shape_of(indices)[-1] :]))


def _written(editor: Editor, node: ir.Node, places: ir.Value, row: Shape) -> ir.Value:
    """Return the first input of *node* with its third written at *places*, rows of shape *row*."""
    source, updates = required_input(node, 0), required_input(node, 2)
    shape, count = shape_of(source), int(np.prod(shape_of(places)))
    rows = int(np.prod(shape)) // max(int(np.prod(row)), 1)
    old, new = editor.reshape(source, (rows, *row)), editor.reshape(updates, (count, *row))
    reduction = node.attributes.get_string("reduction", "none") or "none"
    known = constant_of(places)
    if known is not None:
        result = _by_gather(editor, old, new, np.ravel(known), reduction)
    else:
        result = _by_scatter(editor, old, new, editor.reshape(places, (count, 1)), reduction)
    return editor.reshape(result, shape)


def _by_gather(
    editor: Editor, old: ir.Value, new: ir.Value, places: Array, reduction: str
) -> ir.Value:
    """Return *old* rows with *new* ones at constant *places*, each row taken from one of the two.

    Where rows are combined and one place occurs several times, it is done in rounds.
    """
    rows = shape_of(old)[0]
    while len(places):
        last = {int(place): position for position, place in enumerate(places.tolist())}
        now = np.asarray(sorted(last.values()))
        written = new if len(now) == len(places) else _rows(editor, new, now)
        if reduction != "none":
            present = _rows(editor, old, places[now])
            written = editor.elementwise(_COMBINED[reduction], present, written)
        order = np.arange(rows)
        order[places[now]] = rows + np.arange(len(now))
        joined = (rows + len(now), *shape_of(old)[1:])
        old = _rows(editor, editor.op("Concat", [old, written], joined, {"axis": 0}), order)
        if reduction == "none":
            break
        rest = np.setdiff1d(np.arange(len(places)), now)
        new, places = (_rows(editor, new, rest) if len(rest) else new), places[rest]
    return old


def _rows(editor: Editor, value: ir.Value, positions: Array) -> ir.Value:
    places = editor.constant(positions.astype(np.int32))
    return gathered(editor, value, places, (len(positions), *shape_of(value)[1:]))


def _by_scatter(
    editor: Editor, old: ir.Value, new: ir.Value, places: ir.Value, reduction: str
) -> ir.Value:
    if reduction not in ("none", "add"):
        raise Unsupported(f"TFLite cannot combine by '{reduction}' at places computed at run time")
    places = editor.cast(places, ir.DataType.INT32)
    scattered = editor.op("ScatterNd", [places, new], shape_of(old), dtype=old.dtype)
    if reduction == "add":
        return editor.elementwise("Add", old, scattered)
    if type_of(old) not in NUMBERS:
        raise Unsupported(f"a scatter of {type_of(old).name.lower()} is not written")
    ones = editor.constant(np.ones(shape_of(new), np.float32))
    marks = editor.op("ScatterNd", [places, ones], shape_of(old), dtype=ir.DataType.FLOAT)
    zero = editor.constant(np.float32(0))
    return editor.elementwise("Where", editor.elementwise("Greater", marks, zero), scattered, old)


def _emit(node: ir.Node, builder: Builder) -> None:
    shape = builder.shape(shape_of(node.outputs[0]), node, "shape")
    inputs = [builder.operand(node, 0), builder.operand(node, 1), shape]
    builder.emit(Op.SCATTER_ND, node, inputs, schema.ScatterNdOptionsT())


LEGALIZE: dict[str, Legalize] = {
    "ScatterElements": _legalize_elements,
    "ScatterND": _legalize_tuples,
}
LOWER: dict[str, Lowering] = {
    "ScatterNd": Lowering(emit=_emit, types=NUMBERS, typed=(1,)),
}
