"""Reductions over constant axes; they keep the reduced axes, and a Reshape drops them."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    Unsupported,
    constant_of,
    ints,
    normalize_axis,
    optional_input,
    required_input,
    set_ints,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Legalize, Lowering, Role
from exporters.tflite.types import FLOATS, NUMBERS


def _reduce(op_type: str) -> Legalize:
    def legalize(node: ir.Node) -> None:
        editor = Editor(node)
        source = required_input(node, 0)
        axes = _axes(node, len(shape_of(source)))
        if not axes:
            editor.replace(source)
            return
        kept = _without(shape_of(source), axes)
        result = editor.op(op_type, [source], kept, {"axes": axes}, quant=quant_of(node.outputs[0]))
        out = shape_of(node.outputs[0])
        editor.replace(result if out == kept else editor.reshape(result, out))

    return legalize


def _composed(inner: Sequence[str], reduction: str, outer: str | None) -> Legalize:
    """Return the rewriting as a function of the *reduction* of a function of the elements."""

    def legalize(node: ir.Node) -> None:
        editor, source = Editor(node), required_input(node, 0)
        axes = _axes(node, len(shape_of(source)))
        for function in inner:
            operands = [source] * (2 if function == "Mul" else 1)
            source = editor.elementwise(function, *operands)
        kept = _without(shape_of(source), axes)
        total = editor.op(reduction, [source], kept, {"axes": axes}) if axes else source
        result = editor.elementwise(outer, total) if outer else total
        out = shape_of(node.outputs[0])
        editor.replace(result if out == kept else editor.reshape(result, out))

    return legalize


def _log_sum_exp(node: ir.Node) -> None:
    """Rewrite with the largest element taken out, so that no exponential overflows."""
    editor, source = Editor(node), required_input(node, 0)
    axes = _axes(node, len(shape_of(source)))
    kept = _without(shape_of(source), axes)
    if not axes:
        editor.replace(source)
        return
    largest = editor.op("ReduceMax", [source], kept, {"axes": axes})
    grown = editor.elementwise("Exp", editor.elementwise("Sub", source, largest))
    total = editor.op("Sum", [grown], kept, {"axes": axes})
    result = editor.elementwise("Add", editor.elementwise("Log", total), largest)
    out = shape_of(node.outputs[0])
    editor.replace(result if out == kept else editor.reshape(result, out))


def _axes(node: ir.Node, rank: int) -> list[int]:
    """Return the reduced axes, ascending; none given means all unless the node says otherwise."""
    given = optional_input(node, 1)
    if given is None:
        listed = ints(node, "axes")
    else:
        array = constant_of(given)
        if array is None:
            raise Unsupported("the reduced axes are computed at run time")
        listed = array.tolist()
    if not listed:
        return [] if node.attributes.get_int("noop_with_empty_axes", 0) else list(range(rank))
    return sorted(normalize_axis(axis, rank) for axis in listed)


def _without(shape: Shape, axes: list[int]) -> Shape:
    return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))


def _reorder(node: ir.Node, order: Shape) -> None:
    set_ints(node, "axes", sorted(order.index(axis) for axis in ints(node, "axes")))


def _lowering(op: int, integer: IntegerForm, types: frozenset[ir.DataType] = NUMBERS) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        keeps = len(shape_of(node.outputs[0])) == len(shape_of(node.inputs[0]))
        inputs = [builder.operand(node, 0), builder.shape(ints(node, "axes"), node, "axes")]
        builder.emit(op, node, inputs, schema.ReducerOptionsT(keepDims=keeps))

    return Lowering(emit=emit, integer=integer, role=Role.ANY, reorder=_reorder, types=types)


LEGALIZE = {
    "ReduceMean": _reduce("Mean"),
    "ReduceSum": _reduce("Sum"),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMin": _reduce("ReduceMin"),
    "ReduceProd": _reduce("ReduceProd"),
    "ReduceL1": _composed(["Abs"], "Sum", None),
    "ReduceL2": _composed(["Mul"], "Sum", "Sqrt"),
    "ReduceSumSquare": _composed(["Mul"], "Sum", None),
    "ReduceLogSum": _composed([], "Sum", "Log"),
    "ReduceLogSumExp": _log_sum_exp,
}
LOWER = {
    "Mean": _lowering(Op.MEAN, IntegerForm.FREE, FLOATS),
    "Sum": _lowering(Op.SUM, IntegerForm.FREE),
    "ReduceMax": _lowering(Op.REDUCE_MAX, IntegerForm.SHARED),
    "ReduceMin": _lowering(Op.REDUCE_MIN, IntegerForm.SHARED),
    "ReduceProd": _lowering(Op.REDUCE_PROD, IntegerForm.NONE),
}
