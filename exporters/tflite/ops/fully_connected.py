"""Matrix products: FULLY_CONNECTED where the right side is constant, else BATCH_MATMUL."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    adopt,
    constant_input,
    is_constant,
    is_integer,
    optional_input,
    permuted,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.convolution import bias_params
from exporters.tflite.ops.operands import activation_of
from exporters.tflite.ops.protocol import IntegerForm, Lowering

_SWAP = (1, 0)


def _legalize_gemm(node: ir.Node) -> None:
    """Rewrite ``alpha * A' @ B' + beta * C``; a constant B absorbs alpha and its transposition."""
    alpha = node.attributes.get_float("alpha", 1.0)
    beta = node.attributes.get_float("beta", 1.0)
    bias = optional_input(node, 2)
    editor = Editor(node)
    left = required_input(node, 0)
    if node.attributes.get_int("transA", 0):
        left = editor.transpose(left, _SWAP)
    if not is_constant(node.inputs[1]) or not _is_vector(bias):
        editor.replace(_general_gemm(editor, node, left))
        return
    transposed = bool(node.attributes.get_int("transB", 0))
    weight = _weight(editor, node, alpha, transposed=transposed)
    out = node.outputs[0]
    inputs = [left, weight, _bias(editor, node, weight, bias, beta)]
    editor.replace(editor.op("FullyConnected", inputs, shape_of(out)))


def _general_gemm(editor: Editor, node: ir.Node, left: ir.Value) -> ir.Value:
    right, bias = required_input(node, 1), optional_input(node, 2)
    if node.attributes.get_int("transB", 0):
        right = editor.transpose(right, _SWAP)
    product = editor.onnx("MatMul", [left, right], shape_of(node.outputs[0]))
    product = _scaled(editor, product, node.attributes.get_float("alpha", 1.0))
    if bias is None:
        return product
    term = _scaled(editor, bias, node.attributes.get_float("beta", 1.0))
    return editor.elementwise("Add", product, term)


def _scaled(editor: Editor, value: ir.Value, factor: float) -> ir.Value:
    if factor == 1.0:
        return value
    return editor.elementwise("Mul", value, editor.constant(np.float32(factor)))


def _is_vector(bias: ir.Value | None) -> bool:
    """Whether *bias* is absent or a constant with one number per column."""
    return bias is None or (is_constant(bias) and int(np.prod(shape_of(bias)[:-1])) == 1)


def _legalize_matmul(node: ir.Node) -> None:
    left, right = required_input(node, 0), required_input(node, 1)
    if rank_of(left) == 1 or rank_of(right) == 1:
        _promote_vectors(node, left, right)
    elif is_constant(right) and rank_of(right) == 2:
        editor = Editor(node)
        weight = _weight(editor, node, 1.0, transposed=False)
        inputs = [left, weight, _bias(editor, node, weight, None, 1.0)]
        editor.replace(editor.op("FullyConnected", inputs, shape_of(node.outputs[0])))
    elif rank_of(left) != rank_of(right):
        _equalize_ranks(node, left, right)
    else:
        _absorb_transpose(node)
        adopt(node, "BatchMatMul")


def _promote_vectors(node: ir.Node, left: ir.Value, right: ir.Value) -> None:
    """Rewrite a product with a vector as one of matrices, then drop the added axis."""
    editor = Editor(node)
    if rank_of(left) == 1:
        left = editor.reshape(left, (1, *shape_of(left)))
    if rank_of(right) == 1:
        right = editor.reshape(right, (*shape_of(right), 1))
    batch = np.broadcast_shapes(shape_of(left)[:-2], shape_of(right)[:-2])
    shape = (*batch, shape_of(left)[-2], shape_of(right)[-1])
    product = editor.onnx("MatMul", [left, right], shape)
    editor.replace(editor.reshape(product, shape_of(node.outputs[0])))


def _equalize_ranks(node: ir.Node, left: ir.Value, right: ir.Value) -> None:
    editor = Editor(node)
    rank = max(rank_of(left), rank_of(right))
    full = [
        editor.reshape(value, (1,) * (rank - rank_of(value)) + shape_of(value))
        for value in (left, right)
    ]
    editor.replace(editor.onnx("MatMul", full, shape_of(node.outputs[0])))


def _absorb_transpose(node: ir.Node) -> None:
    """Let the product read its right side transposed, where that spares a strided Transpose.

    A Transpose that moves the last axis is slow; when it becomes one that keeps the last axis in
    place (or nothing at all) by swapping the last two axes, BATCH_MATMUL does the swap instead.
    """
    right = required_input(node, 1)
    producer = right.producer()
    if producer is None or producer.op_type != "Transpose" or len(right.uses()) != 1:
        return
    perm = list(producer.attributes.get_ints("perm", []))
    last = len(perm) - 1
    if perm[-2] != last or right.is_graph_output():
        return
    swapped = [*perm[:-2], perm[-1], perm[-2]]
    editor = Editor(node)
    node.replace_input_with(1, editor.transpose(required_input(producer, 0), tuple(swapped)))
    node.attributes["adj_y"] = ir.AttrInt64("adj_y", 1)


def _weight(editor: Editor, node: ir.Node, alpha: float, *, transposed: bool) -> ir.Value:
    """Return the constant right side as `[O, I]`, times *alpha*; *transposed* when it is so."""
    value = required_input(node, 1)
    array, params = constant_input(node, 1, "the weight"), quant_of(value)
    if alpha != 1.0:
        array = array * np.float32(alpha)
    if not transposed:
        array, params = array.T, permuted(params, _SWAP)
    elif alpha == 1.0:
        return value
    return editor.constant(array, params, value.name or "")


def _bias(
    editor: Editor, node: ir.Node, weight: ir.Value, bias: ir.Value | None, beta: float
) -> ir.Value:
    """Return the bias `[O]` times *beta*, zeros when absent, in the form the kernel needs."""
    columns = shape_of(weight)[0]
    source, params, quant = quant_of(node.inputs[0]), quant_of(weight), quant_of(bias)
    if is_integer(node) and source is not None and params is not None:
        needed = bias_params(source, params)
        quant = needed if quant is None or needed.dtype is not quant.dtype else quant
    if bias is None:
        zeros = np.zeros(columns, np.float32)
        return editor.constant(zeros, quant, f"{node.outputs[0].name}/bias")
    if shape_of(bias) == (columns,) and beta == 1.0 and quant == quant_of(bias):
        return bias
    row = np.ravel(constant_input(node, 2, "the bias")) * np.float32(beta)
    return editor.constant(np.broadcast_to(row, (columns,)), quant, bias.name or "")


def _check_fully_connected(node: ir.Node) -> str | None:
    params = quant_of(node.inputs[1])
    if params is None:
        return "an integer product needs integer weights" if is_integer(node) else None
    if any(params.zero_point):
        return "TFLite weights of a matrix product have zero point 0"
    if params.axis not in (None, 0):
        return "TFLite weights are quantized per output column or per tensor"
    return None


def _emit_fully_connected(node: ir.Node, builder: Builder) -> None:
    options = schema.FullyConnectedOptionsT(
        fusedActivationFunction=activation_of(node),
        keepNumDims=rank_of(node.outputs[0]) > 2,
    )
    builder.emit(Op.FULLY_CONNECTED, node, options=options)


def _check_batch_matmul(node: ir.Node) -> str | None:
    for value in node.inputs:
        params = quant_of(value)
        if params is not None and params.is_per_channel:
            return "TFLite BATCH_MATMUL has no per-channel scales"
    return None


def _emit_batch_matmul(node: ir.Node, builder: Builder) -> None:
    options = schema.BatchMatMulOptionsT(adjY=bool(node.attributes.get_int("adj_y", 0)))
    builder.emit(Op.BATCH_MATMUL, node, options=options)


def permute_weight_rows(node: ir.Node, order: Shape) -> None:
    """Let the FullyConnected *node* read its input with element ``i`` taken from ``order[i]``."""
    weight = required_input(node, 1)
    array = constant_input(node, 1, "the weight")[:, list(order)]
    editor = Editor(node)
    node.replace_input_with(1, editor.constant(array, quant_of(weight), weight.name or ""))


LEGALIZE = {"Gemm": _legalize_gemm, "MatMul": _legalize_matmul}
LOWER = {
    "FullyConnected": Lowering(
        emit=_emit_fully_connected, check=_check_fully_connected, integer=IntegerForm.FREE
    ),
    "BatchMatMul": Lowering(
        emit=_emit_batch_matmul, check=_check_batch_matmul, integer=IntegerForm.FREE
    ),
}
