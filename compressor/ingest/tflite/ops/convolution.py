"""CONV_2D and DEPTHWISE_CONV_2D.

Weights `[O, kH, kW, I/g]` become `[O, I/g, kH, kW]`, depthwise ones `[1, kH, kW, O]` become
`[O, 1, kH, kW]`.
"""

from __future__ import annotations

from typing import Any

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.ops.windows import (
    channels_first,
    channels_last,
    explicit_pads,
    nchw,
)
from compressor.ir.annotations import Precision, quant_of, set_precision
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import constant_of

_OIHW = (0, 3, 1, 2)
_DEPTHWISE = (3, 0, 1, 2)


def _convolution(e: Emitter) -> None:
    options = e.options(schema.Conv2DOptionsT)
    weight = e.transpose(e.input(1), _OIHW)
    channels, per_group = e.tensor(0).shape[-1], static_shape(weight)[1]
    if not per_group or channels % per_group:
        raise Malformed(f"{channels} channels do not split into groups of {per_group}")
    _finish(e, weight, channels // per_group, options)


def _depthwise(e: Emitter) -> None:
    options = e.options(schema.DepthwiseConv2DOptionsT)
    weight = e.transpose(e.input(1), _DEPTHWISE)
    _finish(e, weight, e.tensor(0).shape[-1], options)


def _finish(e: Emitter, weight: ir.Value, groups: int, options: Any) -> None:  # noqa: ANN401
    source = channels_first(e, e.operand(0))
    kernel = static_shape(weight)[2:]
    stride = (options.strideH, options.strideW)
    dilation = (options.dilationHFactor, options.dilationWFactor)
    size = static_shape(source)[2:]
    attributes = {
        "pads": explicit_pads(options.padding, size, kernel, stride, dilation),
        "strides": list(stride),
        "dilations": list(dilation),
        "group": groups,
    }
    inputs = [source, weight, bias_of(e, weight, 2)]
    result = e.emit("Conv", inputs, nchw(e.out().shape), attributes, params=e.params)
    declare_weights(e, result)
    result = e.activated(result, options.fusedActivationFunction)
    e.finish(channels_last(e, result))


def bias_of(e: Emitter, weight: ir.Value, index: int) -> ir.Value | None:
    """Return the bias; an int32 one without a scale has that of input times weight."""
    bias = e.optional(index)
    source, params = quant_of(e.operand(0)), quant_of(weight)
    if bias is None or bias.dtype == ir.DataType.FLOAT or source is None or params is None:
        return bias
    array = constant_of(bias)
    if array is None:
        raise e.refuse("its integer bias is computed at run time")
    scale = bias_params(source, params)
    return e.constant(scale.dequantize(array), scale)


def bias_params(source: QuantParams, weight: QuantParams) -> QuantParams:
    """Return the parameters of an int32 bias: its scale is that of input times weight."""
    scale = [float(s) * source.scale[0] for s in weight.scale]
    if weight.axis is None:
        return QuantParams.per_tensor(IntegerType.INT32, scale[0], 0)
    return QuantParams.per_channel(IntegerType.INT32, scale, 0)


def declare_weights(e: Emitter, result: ir.Value, index: int = 1) -> None:
    """Say how a float product of integer weights computes.

    Weights that the operator reads as integers are for a hybrid kernel, which quantizes its input
    when it runs: dynamic. Weights behind a DEQUANTIZE are only stored as integers: weight-only.
    """
    node = result.producer()
    if node is None or quant_of(result) is not None or quant_of(e.input(index)) is None:
        return
    stored_as_float = e.tensor(index).dtype.kind == "f"
    set_precision(node, Precision.WEIGHT_ONLY if stored_as_float else Precision.DYNAMIC)


READ = {"CONV_2D": _convolution, "DEPTHWISE_CONV_2D": _depthwise}
