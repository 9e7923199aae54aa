"""Comparisons, logic, and choices by a mask; they compare real numbers, not integers."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.ops.binary import aligned_pair
from compressor.ingest.tflite.ops.tables import Read


def _compare(op_type: str) -> Read:
    def read(e: Emitter) -> None:
        left, right, shape = aligned_pair(e, e.real(0), e.real(1))
        e.finish(e.emit(op_type, [left, right], shape, dtype=ir.DataType.BOOL))

    return read


def _unequal(e: Emitter) -> None:
    left, right, shape = aligned_pair(e, e.real(0), e.real(1))
    equal = e.emit("Equal", [left, right], shape, dtype=ir.DataType.BOOL)
    e.finish(e.emit("Not", [equal], shape))


def _select(e: Emitter) -> None:
    """SELECT takes a mask of one number a row as well; both broadcast otherwise."""
    mask, left, right = e.input(0), e.real(1), e.real(2)
    rank = max(len(static_shape(value)) for value in (mask, left, right))
    if e.operator.name == "SELECT" and len(static_shape(mask)) == 1 < rank:
        mask = e.reshape(mask, (*static_shape(mask), *(1,) * (rank - 1)))
    values = [e.aligned(value, rank) for value in (mask, left, right)]
    shape = np.broadcast_shapes(*(static_shape(value) for value in values))
    e.finish(e.emit("Where", values, shape, dtype=left.dtype))


READ = {
    "EQUAL": _compare("Equal"),
    "NOT_EQUAL": _unequal,
    "GREATER": _compare("Greater"),
    "GREATER_EQUAL": _compare("GreaterOrEqual"),
    "LESS": _compare("Less"),
    "LESS_EQUAL": _compare("LessOrEqual"),
    "LOGICAL_AND": _compare("And"),
    "LOGICAL_OR": _compare("Or"),
    "SELECT": _select,
    "SELECT_V2": _select,
}
