"""Elementwise operators of two operands, with broadcasting and fused activations."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Shape
from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.ops.tables import Read


def _arithmetic(op_type: str, options: Any) -> Read:  # noqa: ANN401 (a class of the schema)
    """Integer kernels with scales of their own."""

    def read(e: Emitter) -> None:
        left, right, shape = aligned_pair(e, e.operand(0), e.operand(1))
        result = e.emit(op_type, [left, right], shape, params=e.params)
        e.finish(e.activated(result, e.options(options).fusedActivationFunction))

    return read


def _extremum(op_type: str) -> Read:
    """Integer kernels that demand one scale for all operands."""

    def read(e: Emitter) -> None:
        left, right, shape = aligned_pair(e, e.shared(0), e.shared(1))
        e.finish(e.emit(op_type, [left, right], shape, params=e.params))

    return read


def _real(op_type: str) -> Read:
    def read(e: Emitter) -> None:
        left, right, shape = aligned_pair(e, e.real(0), e.real(1))
        e.finish(e.emit(op_type, [left, right], shape))

    return read


def _divide(e: Emitter) -> None:
    left, right, shape = aligned_pair(e, e.real(0), e.real(1))
    result = e.emit("Div", [left, right], shape)
    e.finish(e.activated(result, e.options(schema.DivOptionsT).fusedActivationFunction))


def _squared_difference(e: Emitter) -> None:
    left, right, shape = aligned_pair(e, e.real(0), e.real(1))
    difference = e.emit("Sub", [left, right], shape)
    e.finish(e.emit("Mul", [difference, difference], shape))


def _floor_divide(e: Emitter) -> None:
    """Round towards minus infinity; ONNX's integer division rounds towards zero."""
    left, right, shape = aligned_pair(e, e.real(0), e.real(1))
    if left.dtype is None or not left.dtype.is_floating_point():
        raise e.refuse("integers that are divided with rounding down have no ONNX form")
    e.finish(e.emit("Floor", [e.emit("Div", [left, right], shape)], shape))


def _floor_modulo(e: Emitter) -> None:
    """``x - floor(x / y) * y`` for floats; ONNX's integer Mod has the sign of the divisor."""
    left, right, shape = aligned_pair(e, e.real(0), e.real(1))
    if left.dtype is None or not left.dtype.is_floating_point():
        e.finish(e.emit("Mod", [left, right], shape))
        return
    whole = e.emit("Floor", [e.emit("Div", [left, right], shape)], shape)
    e.finish(e.emit("Sub", [left, e.emit("Mul", [whole, right], shape)], shape))


def aligned_pair(e: Emitter, left: ir.Value, right: ir.Value) -> tuple[ir.Value, ir.Value, Shape]:
    """Return both operands with equal numbers of axes, and the shape that they broadcast to."""
    rank = max(len(static_shape(left)), len(static_shape(right)))
    left, right = e.aligned(left, rank), e.aligned(right, rank)
    return left, right, np.broadcast_shapes(static_shape(left), static_shape(right))


READ = {
    "ADD": _arithmetic("Add", schema.AddOptionsT),
    "SUB": _arithmetic("Sub", schema.SubOptionsT),
    "MUL": _arithmetic("Mul", schema.MulOptionsT),
    "DIV": _divide,
    "POW": _real("Pow"),
    "MAXIMUM": _extremum("Max"),
    "MINIMUM": _extremum("Min"),
    "SQUARED_DIFFERENCE": _squared_difference,
    "FLOOR_DIV": _floor_divide,
    "FLOOR_MOD": _floor_modulo,
}
