"""TRANSPOSE_CONV: weights `[O, kH, kW, I]` become `[I, O, kH, kW]`."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.ops.convolution import bias_of, declare_weights
from compressor.ingest.tflite.ops.windows import (
    channels_first,
    channels_last,
    explicit_pads,
    nchw,
)

_SHAPE, _WEIGHT, _SOURCE, _BIAS = 0, 1, 2, 3
_IOHW = (3, 0, 1, 2)
_NO_DILATION = (1, 1)


def _transposed(e: Emitter) -> None:
    """In front it crops as the convolution pads whose gradient this is, from output to input.

    Behind it crops to the stated output; where that reaches beyond the windows there are zeros.
    """
    options = e.options(schema.TransposeConvOptionsT)
    weight = e.transpose(e.input(_WEIGHT), _IOHW)
    source = channels_first(e, e.operand(_SOURCE))
    kernel, stride = static_shape(weight)[2:], (options.strideH, options.strideW)
    out, size = nchw(e.out().shape)[2:], static_shape(source)[2:]
    before = explicit_pads(options.padding, out, kernel, stride, _NO_DILATION)[:2]
    after = [
        (n - 1) * s + k - front - o
        for n, s, k, front, o in zip(size, stride, kernel, before, out, strict=True)
    ]
    attributes = {
        "pads": [*before, *(max(a, 0) for a in after)],
        "strides": list(stride),
        "output_padding": [max(-a, 0) for a in after],
    }
    bias = bias_of(e, weight, _BIAS) if len(e.operator.inputs) > _BIAS else None
    inputs = [source, weight, bias]
    result = e.emit("ConvTranspose", inputs, nchw(e.out().shape), attributes, params=e.params)
    declare_weights(e, result, _WEIGHT)
    e.finish(channels_last(e, e.activated(result, options.fusedActivationFunction)))


READ = {"TRANSPOSE_CONV": _transposed}
