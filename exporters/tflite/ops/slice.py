"""Parts of a tensor: SLICE, STRIDED_SLICE and SPLIT."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
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

_ACCELERATED_PARTS = 4


def _legalize(node: ir.Node) -> None:
    """Resolve negative, open and clipped bounds with Python's own slicing rules."""
    source = required_input(node, 0)
    shape = shape_of(source)
    starts = constant_input(node, 1, "the start of the slice").tolist()
    ends = constant_input(node, 2, "the end of the slice").tolist()
    axes = _optional_constant(node, 3, list(range(len(starts))))
    steps = _optional_constant(node, 4, [1] * len(starts))
    begin, stride = [0] * len(shape), [1] * len(shape)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index = normalize_axis(axis, len(shape))
        begin[index], _, stride[index] = slice(start, end, step).indices(shape[index])
        if step < 0 and end < -shape[index]:
            begin[index] = slice(start, None, step).indices(shape[index])[0]
    editor = Editor(node)
    editor.replace(take(editor, source, begin, stride, shape_of(node.outputs[0])))


def take(
    editor: Editor, source: ir.Value, begin: list[int], stride: list[int], size: Shape
) -> ir.Value:
    """Insert a Slice of *size* elements from *begin* in steps of *stride*, for every axis."""
    attributes = {"begin": begin, "stride": stride}
    return editor.op("Slice", [source], size, attributes, quant=quant_of(source))


def _optional_constant(node: ir.Node, index: int, default: list[int]) -> list[int]:
    if optional_input(node, index) is None:
        return default
    values: list[int] = constant_input(node, index, "a bound of the slice").tolist()
    return values


def _reorder(node: ir.Node, order: Shape) -> None:
    for name in ("begin", "stride"):
        values = ints(node, name)
        set_ints(node, name, [values[axis] for axis in order])


def _check(node: ir.Node) -> str | None:
    rank = rank_of(node.outputs[0])
    if rank > 5:
        return f"TFLite slices take up to 5 axes, not {rank}"
    return None if all(shape_of(node.outputs[0])) else "TFLite has no empty tensors"


def _emit(node: ir.Node, builder: Builder) -> None:
    begin, stride, size = ints(node, "begin"), ints(node, "stride"), shape_of(node.outputs[0])
    source = builder.operand(node, 0)
    if all(step == 1 for step in stride):
        inputs = [source, builder.shape(begin, node, "begin"), builder.shape(size, node, "size")]
        builder.emit(Op.SLICE, node, inputs, schema.SliceOptionsT())
        return
    last = [b + (n - 1) * s for b, n, s in zip(begin, size, stride, strict=True)]
    end = [at + (1 if step > 0 else -1) for at, step in zip(last, stride, strict=True)]
    to_front = sum(1 << axis for axis, bound in enumerate(end) if bound < 0)
    inputs = [
        source,
        builder.shape(begin, node, "begin"),
        builder.shape([max(bound, 0) for bound in end], node, "end"),
        builder.shape(stride, node, "strides"),
    ]
    options = schema.StridedSliceOptionsT(endMask=to_front)
    builder.emit(Op.STRIDED_SLICE, node, inputs, options)


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
        parts.append(take(editor, source, begin, [1] * len(shape), shape_of(value)))
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
        emit=_emit, check=_check, integer=IntegerForm.SHARED, role=Role.ANY, reorder=_reorder
    ),
    "Split": Lowering(
        emit=_emit_split, integer=IntegerForm.SHARED, role=Role.ANY, reorder=reorder_axis
    ),
}
