"""Sliding windows: TFLite's SAME and VALID as explicit amounts of padding."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Shape
from compressor.ingest.tflite.emitter import TO_NCHW, TO_NHWC, Emitter, static_shape
from compressor.ingest.tflite.flatbuffer import Malformed


def explicit_pads(
    padding: int, size: Shape, kernel: Shape, stride: Shape, dilation: Shape
) -> list[int]:
    """Return ONNX ``pads`` (all begins, then all ends) of a window over spatial *size*.

    SAME makes ``ceil(size / stride)`` outputs; an odd element of padding goes behind.
    """
    if min(*kernel, *stride, *dilation) < 1:
        raise Malformed(f"a window has extents {kernel}, strides {stride}, dilations {dilation}")
    if padding != schema.Padding.SAME:
        return [0] * (2 * len(size))
    begins, ends = [], []
    for extent, taps, step, apart in zip(size, kernel, stride, dilation, strict=True):
        out = -(-extent // step)
        total = max((out - 1) * step + (taps - 1) * apart + 1 - extent, 0)
        begins.append(total // 2)
        ends.append(total - total // 2)
    return [*begins, *ends]


def channels_first(e: Emitter, value: ir.Value) -> ir.Value:
    """Return the image *value* as NCHW."""
    if len(static_shape(value)) != 4:
        raise Malformed(f"'{value.name}' should have four axes")
    return e.transpose(value, TO_NCHW)


def nchw(shape: Sequence[int]) -> Shape:
    """Return the NHWC *shape* as NCHW."""
    batch, height, width, channels = shape
    return (batch, channels, height, width)


def channels_last(e: Emitter, value: ir.Value) -> ir.Value:
    """Return the NCHW *value* as NHWC."""
    return e.transpose(value, TO_NHWC)
