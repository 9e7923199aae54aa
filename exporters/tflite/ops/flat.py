"""Addressing elements by one number each: how indices along axes become places in memory."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import Array, Shape, constant_of, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.gather import wrapped
from exporters.tflite.types import type_of


def element_places(editor: Editor, indices: ir.Value, shape: Shape, axis: int) -> ir.Value:
    """Return the places in *shape* that *indices* along *axis* mean at their own positions.

    This is the addressing of GatherElements and ScatterElements; the result has the shape of
    *indices*.
    """
    extents = shape_of(indices)
    strides = _strides(shape)
    grid = np.indices(extents)
    base = sum(grid[a] * strides[a] for a in range(len(shape)) if a != axis)
    return _sum(editor, indices, shape[axis], strides[axis], np.asarray(base))


def tuple_places(editor: Editor, indices: ir.Value, shape: Shape, batch: int) -> ir.Value:
    """Return the places that tuples of *indices* `[..., K]` mean: of rows of ``shape[batch + K:]``.

    This is the addressing of GatherND and ScatterND, with *batch* leading axes in common.
    """
    *outer, count = shape_of(indices)
    addressed = shape[: batch + count]
    strides = _strides(addressed)
    grid = np.indices(tuple(outer))
    base = np.broadcast_to(sum((grid[a] * strides[a] for a in range(batch)), 0), tuple(outer))
    total: ir.Value | None = None
    for k in range(count):
        part = _component(editor, indices, k)
        own = base if k == 0 else np.zeros_like(base)
        place = _sum(editor, part, addressed[batch + k], strides[batch + k], np.asarray(own))
        total = place if total is None else editor.elementwise("Add", total, place)
    if total is None:
        return editor.constant(base.astype(np.int64))
    return total


def _component(editor: Editor, indices: ir.Value, k: int) -> ir.Value:
    array = constant_of(indices)
    if array is not None:
        return editor.constant(array[..., k])
    *outer, count = shape_of(indices)
    if count == 1:
        return editor.reshape(indices, tuple(outer))
    begin = [0] * len(outer) + [k]
    part = editor.op("Slice", [indices], (*outer, 1), {"begin": begin})
    return editor.reshape(part, tuple(outer))


def _sum(editor: Editor, indices: ir.Value, extent: int, stride: int, base: Array) -> ir.Value:
    """Return ``(indices mod extent) * stride + base``; computed here when all is constant."""
    array = constant_of(indices)
    if array is not None:
        return editor.constant((array.astype(np.int64) % extent) * stride + base)
    place = wrapped(editor, indices, extent)
    kind = type_of(place).numpy()
    if stride != 1:
        place = editor.elementwise("Mul", place, editor.constant(np.asarray(stride, kind)))
    if np.any(base):
        place = editor.elementwise("Add", place, editor.constant(base.astype(kind)))
    return place


def _strides(shape: Shape) -> list[int]:
    return [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
