"""Activations."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.ops.tables import Read


def _plain(op_type: str) -> Read:
    def read(e: Emitter) -> None:
        e.finish(e.emit(op_type, [e.operand(0)], e.tensor(0).shape, params=e.params))

    return read


def _clamp(low: float, high: float) -> Read:
    def read(e: Emitter) -> None:
        bounds = [e.constant(np.float32(limit)) for limit in (low, high)]
        inputs = [e.operand(0), *bounds]
        e.finish(e.emit("Clip", inputs, e.tensor(0).shape, params=e.params))

    return read


def _leaky(e: Emitter) -> None:
    alpha = float(e.options(schema.LeakyReluOptionsT).alpha)
    shape = e.tensor(0).shape
    e.finish(e.emit("LeakyRelu", [e.operand(0)], shape, {"alpha": alpha}, params=e.params))


def _gelu(e: Emitter) -> None:
    form = "tanh" if e.options(schema.GeluOptionsT).approximate else "none"
    shape = e.tensor(0).shape
    e.finish(e.emit("Gelu", [e.operand(0)], shape, {"approximate": form}, params=e.params))


def _prelu(e: Emitter) -> None:
    shape = e.tensor(0).shape
    slope = e.aligned(e.operand(1), len(shape))
    e.finish(e.emit("PRelu", [e.operand(0), slope], shape, params=e.params))


def _softmax(e: Emitter) -> None:
    """Over the last axis; a factor beta is applied in float."""
    beta, shape = float(e.options(schema.SoftmaxOptionsT).beta), e.tensor(0).shape
    if beta == 1.0 or e.operator.options is None:
        inputs, params = [e.operand(0)], e.params
    else:
        scaled = e.emit("Mul", [e.real(0), e.constant(np.float32(beta))], shape)
        inputs, params = [scaled], None
    e.finish(e.emit("Softmax", inputs, shape, {"axis": -1}, params=params))


def _log_softmax(e: Emitter) -> None:
    shape = e.tensor(0).shape
    e.finish(e.emit("LogSoftmax", [e.real(0)], shape, {"axis": -1}))


READ = {
    "RELU": _plain("Relu"),
    "RELU6": _clamp(0.0, 6.0),
    "RELU_N1_TO_1": _clamp(-1.0, 1.0),
    "RELU_0_TO_1": _clamp(0.0, 1.0),
    "ELU": _plain("Elu"),
    "GELU": _gelu,
    "HARD_SWISH": _plain("HardSwish"),
    "LEAKY_RELU": _leaky,
    "LOGISTIC": _plain("Sigmoid"),
    "LOG_SOFTMAX": _log_softmax,
    "PRELU": _prelu,
    "SOFTMAX": _softmax,
    "TANH": _plain("Tanh"),
}
