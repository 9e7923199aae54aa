"""Gathers of single elements and of rows by tuples of indices, as a GATHER from flat memory."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import (
    Shape,
    constant_of,
    normalize_axis,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.flat import element_places, tuple_places
from exporters.tflite.ops.protocol import Legalize, Lowering


def _legalize_elements(node: ir.Node) -> None:
    editor, source = Editor(node), required_input(node, 0)
    shape = shape_of(source)
    axis = normalize_axis(node.attributes.get_int("axis", 0), len(shape))
    places = element_places(editor, required_input(node, 1), shape, axis)
    flat = editor.reshape(source, (int(np.prod(shape)),))
    editor.replace(gathered(editor, flat, places, shape_of(node.outputs[0])))


def _legalize_tuples(node: ir.Node) -> None:
    editor, source = Editor(node), required_input(node, 0)
    indices, shape = required_input(node, 1), shape_of(source)
    batch = node.attributes.get_int("batch_dims", 0)
    depth = batch + shape_of(indices)[-1]
    places = tuple_places(editor, indices, shape, batch)
    rows = editor.reshape(source, (int(np.prod(shape[:depth])), *shape[depth:]))
    editor.replace(gathered(editor, rows, places, shape_of(node.outputs[0])))


def gathered(editor: Editor, rows: ir.Value, places: ir.Value, shape: Shape) -> ir.Value:
    """Return *rows* (along the first axis) at *places*, as a tensor of *shape*."""
    array = constant_of(places)
    if array is not None:
        places = editor.constant(np.ravel(array).astype(np.int32))
    elif rank_of(places) != 1:
        places = editor.reshape(places, (int(np.prod(shape_of(places))),))
    count = shape_of(places)[0]
    picked = editor.op("Gather", [rows, places], (count, *shape_of(rows)[1:]), {"axis": 0})
    return picked if shape_of(picked) == shape else editor.reshape(picked, shape)


LEGALIZE: dict[str, Legalize] = {
    "GatherElements": _legalize_elements,
    "GatherND": _legalize_tuples,
}
LOWER: dict[str, Lowering] = {}
