"""Convolutions: CONV_2D and DEPTHWISE_CONV_2D.

ONNX weights `[O, I/g, kH, kW]` become `[O, kH, kW, I/g]`, for depthwise ones `[1, kH, kW, O]`.
Padding that is neither SAME nor VALID in TFLite's sense becomes a PAD in front.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from compressor.ir.quant import IntegerType, QuantParams
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Shape,
    constant_input,
    constant_of,
    ints,
    is_constant,
    is_integer,
    optional_input,
    permuted,
    rank_of,
    required_input,
    set_constant,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import (
    activation_of,
    pad_spatially,
    padding_of,
    spatial_shape,
    window_of,
    with_height,
)
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.volume import LOWER_VOLUME, legalize_volume

_OHWI = (0, 2, 3, 1)
_IHWO = (1, 2, 3, 0)


def _legalize(node: ir.Node) -> None:
    if rank_of(required_input(node, 0)) == 5:
        legalize_volume(node)
        return
    editor = Editor(node)
    source, out = required_input(node, 0), node.outputs[0]
    weight = weight_of(editor, node)
    size, out_size = spatial_shape(source), spatial_shape(out)
    window = window_of(node, size, shape_of(weight)[-len(size) :], out_size)
    if len(size) == 1:
        source, window = with_height(editor, source), window.over_one_row()
        size, out_size = (1, *size), (1, *out_size)
    padding = "SAME" if window.matches_same(size) else "VALID"
    if padding == "VALID" and window.is_padded():
        source = pad_spatially(editor, source, window)
    channels = shape_of(weight)[0]
    attributes = {
        "padding": padding,
        "strides": list(window.stride),
        "dilations": list(window.dilation),
    }
    kind = _kind(node, shape_of(source)[1], weight)
    if kind == "DepthwiseConv2D" and not is_constant(weight):
        weight = editor.reshape(weight, (1, channels, *shape_of(weight)[2:]))
    result = editor.op(
        kind,
        [source, weight, bias_of(editor, node, channels)],
        (shape_of(source)[0], channels, *out_size),
        attributes,
        quant=quant_of(out),
    )
    if len(shape_of(out)) == 3:
        result = editor.reshape(result, shape_of(out))
    editor.replace(result)


def weight_of(editor: Editor, node: ir.Node) -> ir.Value:
    """Return the weights in 4-D: a constant of this node's own, or what is computed at run time.

    The layout pass brings the latter to channels last, as it does images.
    """
    value = required_input(node, 1)
    array, shape = constant_of(value), shape_of(value)
    full = shape if len(shape) != 3 else (*shape[:2], 1, shape[2])
    if array is None:
        return value if full == shape else editor.reshape(value, full)
    return editor.constant(array.reshape(full), quant_of(value), value.name or "")


def bias_of(editor: Editor, node: ir.Node, channels: int) -> ir.Value:
    """Return the bias, one of zeros when absent, in the int32 form that an integer kernel needs."""
    bias = optional_input(node, 2)
    source, weight = quant_of(node.inputs[0]), quant_of(node.inputs[1])
    quant = None
    if is_integer(node) and source is not None and weight is not None:
        quant = bias_params(source, weight)
    if bias is None:
        zeros = np.zeros(channels, np.float32)
        return editor.constant(zeros, quant, f"{node.outputs[0].name}/bias")
    if quant is None or (quant_of(bias) is not None and quant.dtype is IntegerType.INT32):
        return bias
    return editor.constant(constant_input(node, 2, "the bias"), quant, bias.name or "")


def bias_params(source: QuantParams, weight: QuantParams) -> QuantParams:
    """Return the parameters of an integer bias: its scale is that of input times weight."""
    scale = np.float32(source.scale[0]) * np.asarray(weight.scale, np.float32)
    is_wide = source.dtype is IntegerType.INT16  # whose products overflow 32 bits
    dtype = IntegerType.INT64 if is_wide else IntegerType.INT32
    if weight.axis is None:
        return QuantParams.per_tensor(dtype, float(scale[0]), 0)
    return QuantParams.per_channel(dtype, scale, 0)


def _kind(node: ir.Node, channels: int, weight: ir.Value) -> str:
    groups = node.attributes.get_int("group", 1)
    depthwise = groups == channels and groups > 1 and shape_of(weight)[1] == 1
    return "DepthwiseConv2D" if depthwise else "Conv2D"


def _reorder_dense(node: ir.Node, _order: Shape) -> None:
    _permute_weight(node, _OHWI)


def _reorder_depthwise(node: ir.Node, _order: Shape) -> None:
    _permute_weight(node, _IHWO)


def _permute_weight(node: ir.Node, perm: Shape) -> None:
    weight = required_input(node, 1)
    array = constant_of(weight)
    if array is not None:
        set_constant(weight, array.transpose(perm), permuted(quant_of(weight), perm))


def _check(node: ir.Node) -> str | None:
    """Integer weights must be symmetric and, when per-channel, along the output channels."""
    params = quant_of(node.inputs[1])
    if params is None:
        return "an integer convolution needs integer weights" if is_integer(node) else None
    channel_axis = 3 if node.op_type == "DepthwiseConv2D" else 0
    if any(params.zero_point):
        return "TFLite convolution weights have zero point 0"
    if params.axis not in (None, channel_axis):
        return "TFLite convolution weights are quantized per output channel or per tensor"
    return None


def _emit_dense(node: ir.Node, builder: Builder) -> None:
    (stride_h, stride_w), (dilation_h, dilation_w) = ints(node, "strides"), ints(node, "dilations")
    options = schema.Conv2DOptionsT(
        padding=padding_of(node),
        strideH=stride_h,
        strideW=stride_w,
        dilationHFactor=dilation_h,
        dilationWFactor=dilation_w,
        fusedActivationFunction=activation_of(node),
    )
    builder.emit(Op.CONV_2D, node, options=options)


def _emit_depthwise(node: ir.Node, builder: Builder) -> None:
    (stride_h, stride_w), (dilation_h, dilation_w) = ints(node, "strides"), ints(node, "dilations")
    channels_in, channels_out = shape_of(node.inputs[0])[3], shape_of(node.outputs[0])[3]
    options = schema.DepthwiseConv2DOptionsT(
        padding=padding_of(node),
        strideH=stride_h,
        strideW=stride_w,
        dilationHFactor=dilation_h,
        dilationWFactor=dilation_w,
        depthMultiplier=channels_out // channels_in,
        fusedActivationFunction=activation_of(node),
    )
    builder.emit(Op.DEPTHWISE_CONV_2D, node, options=options)


LEGALIZE = {"Conv": _legalize}
LOWER = {
    "Conv2D": Lowering(
        emit=_emit_dense,
        check=_check,
        integer=IntegerForm.FREE,
        role=Role.SPATIAL,
        reorder=_reorder_dense,
    ),
    "DepthwiseConv2D": Lowering(
        emit=_emit_depthwise,
        check=_check,
        integer=IntegerForm.FREE,
        role=Role.SPATIAL,
        reorder=_reorder_depthwise,
    ),
    **LOWER_VOLUME,
}
