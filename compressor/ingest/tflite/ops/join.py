"""CONCATENATION, PACK and UNPACK."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.ops.reduction import normalized
from compressor.ir.annotations import Precision, set_precision, set_quant


def _concatenate(e: Emitter) -> None:
    options = e.options(schema.ConcatenationOptionsT)
    parts = [e.shared(index) for index in range(len(e.operator.inputs))]
    axis = normalized(options.axis, e.out().rank)
    result = e.emit("Concat", parts, e.out().shape, {"axis": axis}, params=e.params)
    e.finish(e.activated(result, options.fusedActivationFunction))


def _pack(e: Emitter) -> None:
    """Stack along a new axis."""
    axis = normalized(e.options(schema.PackOptionsT).axis, e.out().rank)
    parts = []
    for index in range(len(e.operator.inputs)):
        shape = list(e.tensor(index).shape)
        shape.insert(axis, 1)
        parts.append(e.reshape(e.shared(index), tuple(shape)))
    e.finish(e.emit("Concat", parts, e.out().shape, {"axis": axis}, params=e.params))


def _unpack(e: Emitter) -> None:
    """Take apart along an axis, which is dropped."""
    source, count = e.shared(0), len(e.operator.outputs)
    axis = normalized(e.options(schema.UnpackOptionsT).axis, e.tensor(0).rank)
    for index, part in enumerate(split(e, source, axis, [1] * count)):
        e.finish(e.to_shape_of(part, e.out(index)), index)


def split(e: Emitter, source: ir.Value, axis: int, sizes: list[int]) -> Sequence[ir.Value]:
    """Return consecutive parts of *source* along *axis*, represented as the result."""
    shape = static_shape(source)
    shapes = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
    lengths = e.constant(np.asarray(sizes, np.int64))
    parts = e.several("Split", [source, lengths], shapes, {"axis": axis})
    producer = parts[0].producer()
    for part in parts:
        set_quant(part, e.params)
    if e.params is not None and producer is not None:
        set_precision(producer, Precision.INTEGER)
    return parts


READ = {"CONCATENATION": _concatenate, "PACK": _pack, "UNPACK": _unpack}
