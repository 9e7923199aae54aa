"""Elementwise operators of two operands, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    adopt,
    constant_of,
    permuted,
    rank_of,
    required_input,
    set_constant,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import activation_of
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import NUMBERS
from exporters.tflite.versions import Table


def align_operands(node: ir.Node) -> None:
    """Give all operands of *node* the rank of its output, so that axes have one meaning."""
    rank = rank_of(node.outputs[0])
    for index, value in enumerate(node.inputs):
        if value is None or rank_of(value) in (0, rank) or int(np.prod(shape_of(value))) == 1:
            continue
        shape = (1,) * (rank - rank_of(value)) + shape_of(value)
        node.replace_input_with(index, _with_shape(node, value, shape))


def _with_shape(node: ir.Node, value: ir.Value, shape: Shape) -> ir.Value:
    editor, array = Editor(node), constant_of(value)
    if array is None:
        return editor.reshape(value, shape)
    params = quant_of(value)
    if params is not None and params.axis is not None:
        axis = params.axis + len(shape) - array.ndim
        params = QuantParams(
            dtype=params.dtype, scale=params.scale, zero_point=params.zero_point, axis=axis
        )
    return editor.constant(array.reshape(shape), params, value.name or "")


def reorder_constants(node: ir.Node, order: Shape) -> None:
    """Transpose the constant operands of *node* that have axes."""
    for index, value in enumerate(node.inputs):
        array = constant_of(value)
        if value is None or array is None or array.ndim != len(order) or array.size == 1:
            continue
        moved, params = array.transpose(order), permuted(quant_of(value), order)
        if len(value.uses()) == 1:
            set_constant(value, moved, params)
        else:
            constant = Editor(node).constant(moved, params, value.name or "")
            node.replace_input_with(index, constant)


def _legalize(node: ir.Node) -> None:
    align_operands(node)
    adopt(node)


def _legalize_variadic(node: ir.Node) -> None:
    """Rewrite an operator of many operands as a chain of binary ones; two are left as they are."""
    operands = [required_input(node, index) for index in range(len(node.inputs))]
    binary = {"Sum": "Add"}.get(node.op_type, node.op_type)
    if len(operands) == 1:
        Editor(node).replace(operands[0])
        return
    if len(operands) == 2:
        node.op_type = binary
        _legalize(node)
        return
    editor = Editor(node)
    result, params = operands[0], quant_of(node.outputs[0])
    for operand in operands[1:]:
        result = editor.elementwise(binary, result, operand, quant=params)
    editor.replace(result)


def _legalize_reciprocal(node: ir.Node) -> None:
    editor = Editor(node)
    one = editor.constant(np.float32(1.0))
    editor.replace(editor.elementwise("Div", one, required_input(node, 0)))


def _legalize_mean_of_inputs(node: ir.Node) -> None:
    editor = Editor(node)
    operands = [required_input(node, index) for index in range(len(node.inputs))]
    total = operands[0]
    for operand in operands[1:]:
        total = editor.elementwise("Add", total, operand)
    share = editor.constant(np.float32(1.0 / len(operands)))
    editor.replace(editor.elementwise("Mul", total, share))


def _check(node: ir.Node) -> str | None:
    """Constants of both operands at once would have been folded; scales are per tensor."""
    for value in node.inputs:
        params = quant_of(value)
        if params is not None and params.is_per_channel:
            return "TFLite elementwise operators have no per-channel scales"
    return None


def _lowering(
    op: int, options: Callable[..., Table], integer: IntegerForm, *, fuses: bool = False
) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        fused = {"fusedActivationFunction": activation_of(node)} if fuses else {}
        builder.emit(op, node, options=options(**fused))

    return Lowering(
        emit=emit,
        check=_check,
        integer=integer,
        role=Role.ANY,
        reorder=reorder_constants,
        types=NUMBERS,
    )


LEGALIZE = {
    "Add": _legalize,
    "Sub": _legalize,
    "Mul": _legalize,
    "Max": _legalize_variadic,
    "Min": _legalize_variadic,
    "Sum": _legalize_variadic,
    "Mean": _legalize_mean_of_inputs,
    "Reciprocal": _legalize_reciprocal,
}
LOWER = {
    "Add": _lowering(Op.ADD, schema.AddOptionsT, IntegerForm.FREE, fuses=True),
    "Sub": _lowering(Op.SUB, schema.SubOptionsT, IntegerForm.FREE, fuses=True),
    "Mul": _lowering(Op.MUL, schema.MulOptionsT, IntegerForm.FREE, fuses=True),
    "Max": _lowering(Op.MAXIMUM, schema.MaximumMinimumOptionsT, IntegerForm.SHARED),
    "Min": _lowering(Op.MINIMUM, schema.MaximumMinimumOptionsT, IntegerForm.SHARED),
}
