"""Shapes as values, and copies: SHAPE, FILL, RANGE, TILE, BROADCAST_TO."""

from __future__ import annotations

from math import prod

import numpy as np
import onnx_ir as ir

from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.flatbuffer import Malformed


def _shape(e: Emitter) -> None:
    e.finish(e.emit("Shape", [e.input(0)], (e.tensor(0).rank,), dtype=ir.DataType.INT64))


def _fill(e: Emitter) -> None:
    """Expand the one number to the shape, which may be computed."""
    _expand(e, e.shared(1), 0)


def _broadcast(e: Emitter) -> None:
    _expand(e, e.shared(0), 1)


def _expand(e: Emitter, source: ir.Value, index: int) -> None:
    target = e.input(index)
    if target.const_value is not None:
        target = e.constant(e.array(index, "the shape").astype(np.int64))
    target = e.cast(target, ir.DataType.INT64)
    source = e.aligned(source, e.out().rank)
    e.finish(e.emit("Expand", [source, target], e.out().shape, params=e.params))


def _range(e: Emitter) -> None:
    if e.out().rank != 1:
        raise Malformed(f"operator {e.operator.index} makes no vector")
    e.finish(e.emit("Range", [e.real(index) for index in range(3)], e.out().shape))


def _tile(e: Emitter) -> None:
    repeats = e.ints(1, "the number of copies")
    shape = tuple(n * r for n, r in zip(e.tensor(0).shape, repeats, strict=True))
    if prod(shape) != prod(e.out().shape):
        raise Malformed(f"operator {e.operator.index} copies {repeats} times")
    counts = e.constant(np.asarray(repeats, np.int64))
    e.finish(e.emit("Tile", [e.shared(0), counts], shape, params=e.params))


READ = {
    "SHAPE": _shape,
    "FILL": _fill,
    "BROADCAST_TO": _broadcast,
    "RANGE": _range,
    "TILE": _tile,
}
