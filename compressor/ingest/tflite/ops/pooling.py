"""AVERAGE_POOL_2D and MAX_POOL_2D; averages leave out padding, as ONNX's do by default."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.ops.tables import Read
from compressor.ingest.tflite.ops.windows import (
    channels_first,
    channels_last,
    explicit_pads,
    nchw,
)


def _pool(op_type: str) -> Read:
    def read(e: Emitter) -> None:
        options = e.options(schema.Pool2DOptionsT)
        source = channels_first(e, e.shared(0))
        kernel = (options.filterHeight, options.filterWidth)
        stride = (options.strideH, options.strideW)
        size = static_shape(source)[2:]
        attributes = {
            "kernel_shape": list(kernel),
            "strides": list(stride),
            "pads": explicit_pads(options.padding, size, kernel, stride, (1, 1)),
        }
        result = e.emit(op_type, [source], nchw(e.out().shape), attributes, params=e.params)
        e.finish(channels_last(e, e.activated(result, options.fusedActivationFunction)))

    return read


READ = {"AVERAGE_POOL_2D": _pool("AveragePool"), "MAX_POOL_2D": _pool("MaxPool")}
