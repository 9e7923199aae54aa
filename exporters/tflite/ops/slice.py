"""Parts of a tensor: SLICE, SPLIT, and picks along one axis."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
    Shape,
    adopt,
    constant_input,
    ints,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    set_ints,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import reorder_axis
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import MOVABLE

_ACCELERATED_PARTS = 4
_SPLITTABLE = MOVABLE - {ir.DataType.INT64, ir.DataType.BOOL}


def _legalize(node: ir.Node) -> None:
    """Resolve bounds with Python's slicing rules: one Slice for runs, a Select for each step."""
    source = required_input(node, 0)
    shape = shape_of(source)
    starts = constant_input(node, 1, "the start of the slice").tolist()
    ends = constant_input(node, 2, "the end of the slice").tolist()
    axes = _optional_constant(node, 3, list(range(len(starts))))
    steps = _optional_constant(node, 4, [1] * len(starts))
    editor, begin, size = Editor(node), [0] * len(shape), list(shape)
    strided: dict[int, Array] = {}
    for axis, bounds in zip(axes, zip(starts, ends, steps, strict=True), strict=True):
        index = normalize_axis(axis, len(shape))
        positions = np.arange(shape[index])[slice(*bounds)]
        if bounds[2] == 1 and len(positions):
            begin[index], size[index] = int(positions[0]), len(positions)
        else:
            strided[index] = positions
    result = source if tuple(size) == shape else take(editor, source, begin, tuple(size))
    for index, positions in strided.items():
        result = pick(editor, result, index, positions)
    editor.replace(result)


def take(editor: Editor, source: ir.Value, begin: list[int], size: Shape) -> ir.Value:
    """Insert a Slice of *size* elements from *begin*, for every axis."""
    return editor.op("Slice", [source], size, {"begin": begin}, quant=quant_of(source))


def pick(editor: Editor, source: ir.Value, axis: int, positions: Array) -> ir.Value:
    """Return *positions* along *axis* of *source*: a Slice when they follow each other.

    Otherwise it is a GATHER: LiteRT's copies whole rows, which took 1 to 37 microseconds where its
    STRIDED_SLICE took 18 to 88.
    """
    shape = shape_of(source)
    size = (*shape[:axis], len(positions), *shape[axis + 1 :])
    if len(positions) and np.all(np.diff(positions) == 1):
        begin = [int(positions[0]) if index == axis else 0 for index in range(len(shape))]
        return take(editor, source, begin, size)
    indices = editor.constant(positions.astype(np.int32))
    return editor.op("Select", [source, indices], size, {"axis": axis}, quant=quant_of(source))


def _optional_constant(node: ir.Node, index: int, default: list[int]) -> list[int]:
    if optional_input(node, index) is None:
        return default
    values: list[int] = constant_input(node, index, "a bound of the slice").tolist()
    return values


def _reorder(node: ir.Node, order: Shape) -> None:
    begin = ints(node, "begin")
    set_ints(node, "begin", [begin[axis] for axis in order])


def _check(node: ir.Node) -> str | None:
    rank = rank_of(node.outputs[0])
    return None if rank <= 5 else f"TFLite slices take up to 5 axes, not {rank}"


def _emit(node: ir.Node, builder: Builder) -> None:
    size = shape_of(node.outputs[0])
    inputs = [
        builder.operand(node, 0),
        builder.shape(ints(node, "begin"), node, "begin"),
        builder.shape(size, node, "size"),
    ]
    builder.emit(Op.SLICE, node, inputs, schema.SliceOptionsT())


def _legalize_split(node: ir.Node) -> None:
    """Keep a split into a few equal parts, which runtimes accelerate; take other parts singly."""
    source = required_input(node, 0)
    shape = shape_of(source)
    axis = normalize_axis(node.attributes.get_int("axis", 0), len(shape))
    sizes = [shape_of(value)[axis] for value in node.outputs]
    if 2 <= len(sizes) <= _ACCELERATED_PARTS and len(set(sizes)) == 1:
        node.resize_inputs(1)
        node.attributes.clear()
        node.attributes["axis"] = ir.AttrInt64("axis", axis)
        adopt(node)
        return
    editor, parts = Editor(node), []
    for start, value in zip(accumulate([0, *sizes]), node.outputs, strict=False):
        begin = [start if index == axis else 0 for index in range(len(shape))]
        parts.append(take(editor, source, begin, shape_of(value)))
    editor.replace(*parts)


def _emit_split(node: ir.Node, builder: Builder) -> None:
    axis = np.asarray(node.attributes.get_int("axis", 0), np.int32)
    inputs = [
        builder.constant(axis, f"{node.outputs[0].name}/axis"),
        builder.operand(node, 0),
    ]
    options = schema.SplitOptionsT(numSplits=len(node.outputs))
    builder.emit(Op.SPLIT, node, inputs, options)


LEGALIZE = {"Slice": _legalize, "Split": _legalize_split}
LOWER = {
    "Slice": Lowering(
        emit=_emit,
        check=_check,
        integer=IntegerForm.SHARED,
        types=MOVABLE,
        role=Role.ANY,
        reorder=_reorder,
    ),
    "Split": Lowering(
        emit=_emit_split,
        integer=IntegerForm.SHARED,
        types=_SPLITTABLE,
        role=Role.ANY,
        reorder=reorder_axis,
    ),
}
