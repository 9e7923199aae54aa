"""Reductions over constant axes; they keep the reduced axes, and a Reshape drops them."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Shape
from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.ops.tables import Read


def normalized(axis: int, rank: int) -> int:
    """Return *axis* counted from the front; ``Malformed`` outside the rank."""
    if not -rank <= axis < rank:
        raise Malformed(f"axis {axis} is outside rank {rank}")
    return axis % rank


def kept(shape: Shape, axes: list[int]) -> Shape:
    """Return *shape* with extent 1 at the reduced *axes*."""
    return tuple(1 if axis in axes else extent for axis, extent in enumerate(shape))


def _reduce(op_type: str, operand: str) -> Read:
    """Reduce what *operand* of the emitter gives: as integers, of one scale, or as float."""

    def read(e: Emitter) -> None:
        source: ir.Value = getattr(e, operand)(0)
        shape = static_shape(source)
        axes = sorted({normalized(axis, len(shape)) for axis in e.ints(1, "the reduced axes")})
        if not axes:
            e.finish(source)
            return
        inputs = [source, e.constant(np.asarray(axes, np.int64))]
        params = None if operand == "real" else e.params
        result = e.emit(op_type, inputs, kept(shape, axes), {"keepdims": 1}, params=params)
        e.finish(e.to_shape_of(result, e.out()))

    return read


def _logical(op_type: str) -> Read:
    """Any is the largest, all the smallest of the truth values."""

    def read(e: Emitter) -> None:
        shape = e.tensor(0).shape
        axes = sorted({normalized(axis, len(shape)) for axis in e.ints(1, "the reduced axes")})
        number = e.cast(e.input(0), ir.DataType.INT32)
        inputs = [number, e.constant(np.asarray(axes, np.int64))]
        found = e.emit(op_type, inputs, kept(shape, axes), {"keepdims": 1})
        truth = e.cast(found, ir.DataType.BOOL)
        e.finish(e.to_shape_of(truth, e.out()))

    return read


def _position(op_type: str) -> Read:
    def read(e: Emitter) -> None:
        source, shape = e.real(0), e.tensor(0).shape
        axis = normalized(e.ints(1, "the axis")[0], len(shape))
        attributes = {"axis": axis, "keepdims": 1}
        result = e.emit(op_type, [source], kept(shape, [axis]), attributes, dtype=ir.DataType.INT64)
        e.finish(e.to_shape_of(result, e.out()))

    return read


def _cumulative(e: Emitter) -> None:
    options, shape = e.options(schema.CumsumOptionsT), e.tensor(0).shape
    axis = e.constant(np.asarray(normalized(e.ints(1, "the axis")[0], len(shape)), np.int64))
    attributes = {"exclusive": int(options.exclusive), "reverse": int(options.reverse)}
    e.finish(e.emit("CumSum", [e.real(0), axis], shape, attributes))


def _largest(e: Emitter) -> None:
    """TOPK_V2: values and positions of the k largest along the last axis."""
    source, shape = e.real(0), e.tensor(0).shape
    count = e.constant(np.asarray(e.ints(1, "k")[:1], np.int64))
    values, positions = e.several("TopK", [source, count], [e.out(0).shape, e.out(1).shape])
    positions.type = ir.TensorType(ir.DataType.INT64)
    if len(shape) != len(e.out().shape):
        raise Malformed(f"operator {e.operator.index} changes the rank")
    e.finish(values, 0)
    e.finish(positions, 1)


def _unit_length(e: Emitter) -> None:
    """L2_NORMALIZATION: divide by the length over the last axis, guarded against zero."""
    source, shape = e.real(0), e.tensor(0).shape
    last = [len(shape) - 1]
    square = e.emit("Mul", [source, source], shape)
    axes = e.constant(np.asarray(last, np.int64))
    total = e.emit("ReduceSum", [square, axes], kept(shape, last), {"keepdims": 1})
    guard = e.emit("Max", [total, e.constant(np.float32(1e-12))], kept(shape, last))
    length = e.emit("Sqrt", [guard], kept(shape, last))
    e.finish(e.emit("Div", [source, length], shape))


READ = {
    "MEAN": _reduce("ReduceMean", "operand"),
    "SUM": _reduce("ReduceSum", "operand"),
    "REDUCE_MAX": _reduce("ReduceMax", "shared"),
    "REDUCE_MIN": _reduce("ReduceMin", "shared"),
    "REDUCE_PROD": _reduce("ReduceProd", "real"),
    "REDUCE_ANY": _logical("ReduceMax"),
    "REDUCE_ALL": _logical("ReduceMin"),
    "ARG_MAX": _position("ArgMax"),
    "ARG_MIN": _position("ArgMin"),
    "CUMSUM": _cumulative,
    "TOPK_V2": _largest,
    "L2_NORMALIZATION": _unit_length,
}
