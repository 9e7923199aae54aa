"""Picking elements along one axis: slices where the indices are evenly spaced, else GATHER.

``Select`` is a gather by a constant vector, which works in any axis order; ``Gather`` is the
general one, such as an embedding lookup.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
    Unsupported,
    adopt,
    constant_of,
    is_constant,
    normalize_axis,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import reorder_axis
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.slice import take


def _legalize(node: ir.Node) -> None:
    source = required_input(node, 0)
    axis = normalize_axis(node.attributes.get_int("axis", 0), rank_of(source))
    node.attributes["axis"] = ir.AttrInt64("axis", axis)
    indices = constant_of(required_input(node, 1))
    if indices is None:
        adopt(node)
        return
    if is_constant(source):
        raise Unsupported("a gather of constants should have been folded")
    editor, out = Editor(node), shape_of(node.outputs[0])
    picked = pick(editor, source, axis, np.ravel(indices) % shape_of(source)[axis])
    editor.replace(picked if shape_of(picked) == out else editor.reshape(picked, out))


def pick(editor: Editor, source: ir.Value, axis: int, positions: Array) -> ir.Value:
    """Return *positions* along *axis* of *source*: as a Slice when they are evenly spaced."""
    shape = shape_of(source)
    size = (*shape[:axis], len(positions), *shape[axis + 1 :])
    step = _even_step(positions)
    if step is None:
        indices = editor.constant(positions.astype(np.int32))
        attributes = {"axis": axis}
        return editor.op("Select", [source, indices], size, attributes, quant=quant_of(source))
    begin, stride = [0] * len(shape), [1] * len(shape)
    begin[axis], stride[axis] = int(positions[0]), step
    return take(editor, source, begin, stride, size)


def _even_step(positions: Array) -> int | None:
    """Return the positive distance between all neighbours of *positions*, None if it varies."""
    steps = np.unique(np.diff(positions))
    if len(steps) > 1 or (len(steps) == 1 and steps[0] < 1):
        return None
    return int(steps[0]) if len(steps) else 1


def _emit(node: ir.Node, builder: Builder) -> None:
    axis = node.attributes.get_int("axis", 0)
    builder.emit(Op.GATHER, node, options=schema.GatherOptionsT(axis=axis))


LEGALIZE = {"Gather": _legalize}
LOWER = {
    "Gather": Lowering(emit=_emit, integer=IntegerForm.SHARED),
    "Select": Lowering(emit=_emit, integer=IntegerForm.SHARED, role=Role.ANY, reorder=reorder_axis),
}
