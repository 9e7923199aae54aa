"""FULLY_CONNECTED as Gemm over rows, BATCH_MATMUL as MatMul."""

from __future__ import annotations

from math import prod

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Shape
from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.ops.convolution import bias_of, declare_weights


def _connected(e: Emitter) -> None:
    options = e.options(schema.FullyConnectedOptionsT)
    if options.weightsFormat:
        raise e.refuse("its weights are shuffled for one kind of processor")
    weight = e.input(1)
    if len(static_shape(weight)) != 2:
        raise Malformed(f"the weights of operator {e.operator.index} are no matrix")
    units, width = static_shape(weight)
    rows = e.rows(e.operand(0), width)
    shape = (static_shape(rows)[0], units)
    bias = bias_of(e, weight, 2)
    result = e.emit("Gemm", [rows, weight, bias], shape, {"transB": 1}, params=e.params)
    declare_weights(e, result)
    result = e.activated(result, options.fusedActivationFunction)
    if prod(e.out().shape) != prod(shape):
        raise Malformed(f"operator {e.operator.index} makes {shape}, not {e.out().shape}")
    e.finish(e.to_shape_of(result, e.out()))


def _multiplied(e: Emitter) -> None:
    options = e.options(schema.BatchMatMulOptionsT)
    left = _adjoined(e, e.operand(0), options.adjX)
    right = _adjoined(e, e.operand(1), options.adjY)
    result = e.emit("MatMul", [left, right], e.out().shape, params=e.params)
    declare_weights(e, result)
    e.finish(result)


def _adjoined(e: Emitter, value: ir.Value, adjoint: bool) -> ir.Value:
    rank = len(static_shape(value))
    swap: Shape = (*range(rank - 2), rank - 1, rank - 2)
    return e.transpose(value, swap) if adjoint else value


READ = {"FULLY_CONNECTED": _connected, "BATCH_MATMUL": _multiplied}
