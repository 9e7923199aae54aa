"""Transposed convolutions: TRANSPOSE_CONV, with a SLICE where ONNX crops otherwise than SAME.

ONNX weights `[I, O, kH, kW]` become `[O, kH, kW, I]`.
"""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    Unsupported,
    constant_input,
    ints,
    is_integer,
    permuted,
    required_input,
    set_constant,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.convolution import bias_of, weight_of
from exporters.tflite.ops.operands import activation_of, padding_of, spatial_shape, with_height
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.slice import take

_OHWI = (1, 2, 3, 0)


def _legalize(node: ir.Node) -> None:
    if node.attributes.get_int("group", 1) != 1 or set(ints(node, "dilations")) - {1}:
        raise Unsupported("TFLite transposed convolutions have neither groups nor dilation")
    editor = Editor(node)
    source, out = required_input(node, 0), node.outputs[0]
    weight = weight_of(editor, node)
    size, out_size, stride, before = _geometry(node)
    if len(shape_of(source)) == 3:
        source = with_height(editor, source)
    kernel = shape_of(weight)[2:]
    full = tuple((n - 1) * s + k for n, s, k in zip(size, stride, kernel, strict=True))
    excess = [f - o for f, o in zip(full, out_size, strict=True)]
    is_same = all(
        (o, b) == (n * s, max(e, 0) // 2)
        for n, s, o, b, e in zip(size, stride, out_size, before, excess, strict=True)
    )
    if not is_same and any(b > e for b, e in zip(before, excess, strict=True)):
        raise Unsupported("its output reaches beyond what the window covers")
    batch, channels = shape_of(out)[:2]
    result = editor.op(
        "TransposeConv2D",
        [source, weight, bias_of(editor, node, channels)],
        (batch, channels, *(out_size if is_same else full)),
        {"padding": "SAME" if is_same else "VALID", "strides": list(stride)},
        quant=quant_of(out),
    )
    if not is_same and any(excess):
        result = take(editor, result, [0, 0, *before], (batch, channels, *out_size))
    is_1d = len(shape_of(out)) == 3
    editor.replace(editor.reshape(result, shape_of(out)) if is_1d else result)


def _geometry(node: ir.Node) -> tuple[Shape, Shape, Shape, Shape]:
    """Return extents of input and output, strides, and elements cropped in front, all 2-D."""
    size, out = spatial_shape(required_input(node, 0)), spatial_shape(node.outputs[0])
    rank = len(size)
    stride = tuple(ints(node, "strides") or [1] * rank)
    if node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise Unsupported("automatic padding of a transposed convolution is not resolved")
    before = tuple((ints(node, "pads") or [0] * rank)[:rank])
    if rank == 1:
        return (1, *size), (1, *out), (1, *stride), (0, *before)
    return size, out, stride, before


def _reorder(node: ir.Node, _order: Shape) -> None:
    weight = required_input(node, 1)
    array = constant_input(node, 1, "the weight").transpose(_OHWI)
    set_constant(weight, array, permuted(quant_of(weight), _OHWI))


def _check(node: ir.Node) -> str | None:
    params = quant_of(node.inputs[1])
    if params is None:
        return "an integer convolution needs integer weights" if is_integer(node) else None
    if any(params.zero_point) or params.axis not in (None, 0):
        return "TFLite weights are symmetric, per output channel or per tensor"
    return None


def _emit(node: ir.Node, builder: Builder) -> None:
    stride_h, stride_w = ints(node, "strides")
    options = schema.TransposeConvOptionsT(
        padding=padding_of(node),
        strideH=stride_h,
        strideW=stride_w,
        fusedActivationFunction=activation_of(node),
    )
    shape = builder.shape(shape_of(node.outputs[0]), node, "shape")
    weight, source, bias = (builder.operand(node, index) for index in (1, 0, 2))
    builder.emit(Op.TRANSPOSE_CONV, node, [shape, weight, source, bias], options)


LEGALIZE = {"ConvTranspose": _legalize}
LOWER = {
    "TransposeConv2D": Lowering(
        emit=_emit,
        check=_check,
        integer=IntegerForm.FREE,
        role=Role.SPATIAL,
        reorder=_reorder,
    )
}
