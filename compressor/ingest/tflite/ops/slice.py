"""Parts of a tensor: SLICE, STRIDED_SLICE, SPLIT, SPLIT_V, REVERSE_V2."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.emitter import Emitter, static_shape
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.ops.join import split
from compressor.ingest.tflite.ops.reduction import normalized

_FAR = (1 << 31) - 1


def _slice(e: Emitter) -> None:
    begin, size = e.ints(1, "the start"), e.ints(2, "the size")
    shape = e.tensor(0).shape
    if not len(begin) == len(size) == len(shape):
        raise Malformed(f"operator {e.operator.index} states bounds for {len(begin)} axes")
    bounds = [
        (start, _FAR if extent == -1 else start + extent, 1)
        for start, extent in zip(begin, size, strict=True)
    ]
    e.finish(_cut(e, e.shared(0), bounds))


def _strided_slice(e: Emitter) -> None:
    """Bit masks say which bounds are open, and which axes are dropped at one position."""
    options = e.options(schema.StridedSliceOptionsT)
    begin, end = e.ints(1, "the start"), e.ints(2, "the end")
    steps, shape = e.ints(3, "the stride"), e.tensor(0).shape
    if options.ellipsisMask or options.newAxisMask:
        raise e.refuse("its masks for an ellipsis or a new axis are not read")
    if not len(begin) == len(end) == len(steps) <= len(shape) or 0 in steps:
        raise Malformed(f"operator {e.operator.index} has bounds that do not fit its input")
    bounds = []
    for axis, (start, stop, step) in enumerate(zip(begin, end, steps, strict=True)):
        if options.shrinkAxisMask >> axis & 1:
            bounds.append((start, start + 1 if start != -1 else _FAR, 1))
            continue
        origin = start if options.offset else 0
        first = (0 if step > 0 else _FAR) if options.beginMask >> axis & 1 else start
        last = (_FAR if step > 0 else -_FAR) if options.endMask >> axis & 1 else stop + origin
        bounds.append((first, last, step))
    e.finish(e.to_shape_of(_cut(e, e.shared(0), bounds), e.out()))


def _cut(e: Emitter, source: ir.Value, bounds: list[tuple[int, int, int]]) -> ir.Value:
    """Return the slice with *bounds* (start, end, step) of the first axes."""
    whole = static_shape(source)
    lengths = [len(range(n)[slice(*_python(b))]) for n, b in zip(whole, bounds, strict=False)]
    cut = [axis for axis, n in enumerate(lengths) if n != whole[axis] or bounds[axis][2] != 1]
    if not cut:
        return source
    shape = tuple(lengths[a] if a in cut else n for a, n in enumerate(whole))
    columns = [[bounds[axis][part] for axis in cut] for part in range(3)]
    starts, ends, steps = (e.constant(np.asarray(column, np.int64)) for column in columns)
    axes = e.constant(np.asarray(cut, np.int64))
    return e.emit("Slice", [source, starts, ends, axes, steps], shape, params=e.params)


def _python(bound: tuple[int, int, int]) -> tuple[int | None, int | None, int]:
    start, end, step = bound
    return start, None if abs(end) == _FAR else end, step


def _split(e: Emitter) -> None:
    source, shape = e.convert(e.input(1), e.params), e.tensor(1).shape
    axis, count = normalized(e.ints(0, "the axis")[0], len(shape)), len(e.operator.outputs)
    if shape[axis] % count:
        raise Malformed(f"operator {e.operator.index} splits {shape[axis]} into {count}")
    for index, part in enumerate(split(e, source, axis, [shape[axis] // count] * count)):
        e.finish(part, index)


def _split_sizes(e: Emitter) -> None:
    source, shape = e.shared(0), e.tensor(0).shape
    sizes = e.ints(1, "the sizes")
    axis = normalized(e.ints(2, "the axis")[0], len(shape))
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = shape[axis] - sum(sizes) - 1
    if min(sizes) < 0 or sum(sizes) != shape[axis] or len(sizes) != len(e.operator.outputs):
        raise Malformed(f"operator {e.operator.index} splits {shape[axis]} into {sizes}")
    for index, part in enumerate(split(e, source, axis, sizes)):
        e.finish(part, index)


def _reverse(e: Emitter) -> None:
    axes = {normalized(axis, e.tensor(0).rank) for axis in e.ints(1, "the axes")}
    bounds = [(-1, -_FAR, -1) if a in axes else (0, _FAR, 1) for a in range(e.tensor(0).rank)]
    e.finish(_cut(e, e.shared(0), bounds))


READ = {
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "SPLIT": _split,
    "SPLIT_V": _split_sizes,
    "REVERSE_V2": _reverse,
}
