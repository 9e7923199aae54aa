"""Reductions over constant axes; they keep the reduced axes, and a Reshape drops them."""

from __future__ import annotations

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


def _reduce_l2(node: ir.Node) -> None:
    """Rewrite as the root of the sum of squares."""
    editor = Editor(node)
    source = required_input(node, 0)
    axes = _axes(node, len(shape_of(source)))
    square = editor.elementwise("Mul", source, source)
    total = editor.op("Sum", [square], _without(shape_of(source), axes), {"axes": axes})
    root, out = editor.elementwise("Sqrt", total), shape_of(node.outputs[0])
    editor.replace(root if out == shape_of(root) else editor.reshape(root, out))


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


def _lowering(op: int, integer: IntegerForm) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        keeps = len(shape_of(node.outputs[0])) == len(shape_of(node.inputs[0]))
        inputs = [builder.operand(node, 0), builder.shape(ints(node, "axes"), node, "axes")]
        builder.emit(op, node, inputs, schema.ReducerOptionsT(keepDims=keeps))

    return Lowering(emit=emit, integer=integer, role=Role.ANY, reorder=_reorder)


LEGALIZE = {
    "ReduceMean": _reduce("Mean"),
    "ReduceSum": _reduce("Sum"),
    "ReduceMax": _reduce("ReduceMax"),
    "ReduceMin": _reduce("ReduceMin"),
    "ReduceProd": _reduce("ReduceProd"),
    "ReduceL2": _reduce_l2,
}
LOWER = {
    "Mean": _lowering(Op.MEAN, IntegerForm.FREE),
    "Sum": _lowering(Op.SUM, IntegerForm.FREE),
    "ReduceMax": _lowering(Op.REDUCE_MAX, IntegerForm.SHARED),
    "ReduceMin": _lowering(Op.REDUCE_MIN, IntegerForm.SHARED),
    "ReduceProd": _lowering(Op.REDUCE_PROD, IntegerForm.NONE),
}
