"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR.

ONNX has many ways to place samples, TFLite three. Instead of a table of names, the source
positions of every output element are computed under both definitions and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Unsupported,
    constant_of,
    optional_input,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import spatial_shape, with_height
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role

_Positions = npt.NDArray[np.float64]


class _Grid(Enum):
    """TFLite's placements of samples, as the options spell them."""

    ASYMMETRIC = "asymmetric"
    HALF_PIXEL = "half_pixel"
    ALIGN_CORNERS = "align_corners"


def _legalize(node: ir.Node) -> None:
    source, out = required_input(node, 0), node.outputs[0]
    size, out_size = spatial_shape(source), spatial_shape(out)
    if shape_of(source)[:2] != shape_of(out)[:2]:
        raise Unsupported("TFLite resizes spatial axes only")
    mode = node.attributes.get_string("mode", "nearest")
    if mode not in _MATCHES or node.attributes.get_int("antialias", 0) == 1:
        raise Unsupported(f"TFLite has no '{mode}' resampling of this kind")
    scales = _scales(node, size, out_size)
    axes = list(zip(size, out_size, scales, strict=True))
    grid = next((g for g in _Grid if all(_MATCHES[mode](node, g, *a) for a in axes)), None)
    if grid is None:
        placement = node.attributes.get_string("coordinate_transformation_mode", "half_pixel")
        raise Unsupported(f"TFLite cannot place samples as '{placement}' does here")
    editor = Editor(node)
    if len(size) == 1:
        source, out_size = with_height(editor, source), (1, *out_size)
    shape = (*shape_of(source)[:2], *out_size)
    op_type = "ResizeNearest" if mode == "nearest" else "ResizeBilinear"
    quant = quant_of(out)
    result = editor.op(op_type, [source], shape, {"grid": grid.value}, quant=quant)
    editor.replace(editor.reshape(result, shape_of(out)) if rank_of(out) == 3 else result)


def _scales(node: ir.Node, size: tuple[int, ...], out: tuple[int, ...]) -> list[float]:
    """Return the magnification of each spatial axis, as stated or as the sizes imply."""
    stated = constant_of(optional_input(node, 2))
    if stated is not None and stated.size == len(size) + 2:
        return [float(scale) for scale in stated[2:]]
    return [to / extent for extent, to in zip(size, out, strict=True)]


def _onnx_positions(node: ir.Node, size: int, out: int, scale: float) -> _Positions:
    index = np.arange(out, dtype=np.float64)
    placement = node.attributes.get_string("coordinate_transformation_mode", "half_pixel")
    if placement == "half_pixel" or (placement == "pytorch_half_pixel" and out > 1):
        return (index + 0.5) / scale - 0.5
    if placement == "pytorch_half_pixel":
        return np.zeros(out)
    if placement == "asymmetric":
        return index / scale
    if placement == "align_corners":
        return index * ((size - 1) / max(out - 1, 1))
    raise Unsupported(f"TFLite cannot place samples as '{placement}' does")


def _matches_nearest(node: ir.Node, grid: _Grid, size: int, out: int, scale: float) -> bool:
    rounding = node.attributes.get_string("nearest_mode", "round_prefer_floor") or ""
    wanted = _ROUNDINGS[rounding](_onnx_positions(node, size, out, scale))
    index = np.arange(out, dtype=np.float64)
    if grid is _Grid.ALIGN_CORNERS:
        found = np.floor(index * ((size - 1) / max(out - 1, 1)) + 0.5)
    else:
        found = np.floor((index + 0.5 * (grid is _Grid.HALF_PIXEL)) * (size / out))
    return bool(np.array_equal(np.clip(wanted, 0, size - 1), np.clip(found, 0, size - 1)))


def _matches_linear(node: ir.Node, grid: _Grid, size: int, out: int, scale: float) -> bool:
    wanted = _onnx_positions(node, size, out, scale)
    index = np.arange(out, dtype=np.float64)
    if grid is _Grid.ALIGN_CORNERS:
        found = index * ((size - 1) / max(out - 1, 1))
    elif grid is _Grid.HALF_PIXEL:
        found = (index + 0.5) * (size / out) - 0.5
    else:
        found = index * (size / out)
    return bool(np.allclose(np.clip(wanted, 0, size - 1), np.clip(found, 0, size - 1)))


_ROUNDINGS: dict[str, Callable[[_Positions], _Positions]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}
_MATCHES = {"nearest": _matches_nearest, "linear": _matches_linear}


def _emit_nearest(node: ir.Node, builder: Builder) -> None:
    grid = _Grid(node.attributes["grid"].as_string())
    options = schema.ResizeNearestNeighborOptionsT(
        alignCorners=grid is _Grid.ALIGN_CORNERS, halfPixelCenters=grid is _Grid.HALF_PIXEL
    )
    builder.emit(Op.RESIZE_NEAREST_NEIGHBOR, node, _inputs(node, builder), options)


def _emit_bilinear(node: ir.Node, builder: Builder) -> None:
    grid = _Grid(node.attributes["grid"].as_string())
    options = schema.ResizeBilinearOptionsT(
        alignCorners=grid is _Grid.ALIGN_CORNERS, halfPixelCenters=grid is _Grid.HALF_PIXEL
    )
    builder.emit(Op.RESIZE_BILINEAR, node, _inputs(node, builder), options)


def _inputs(node: ir.Node, builder: Builder) -> list[int]:
    size = shape_of(node.outputs[0])[1:3]
    return [builder.operand(node, 0), builder.shape(size, node, "size")]


LEGALIZE = {"Resize": _legalize}
LOWER = {
    "ResizeNearest": Lowering(emit=_emit_nearest, integer=IntegerForm.SHARED, role=Role.SPATIAL),
    "ResizeBilinear": Lowering(emit=_emit_bilinear, integer=IntegerForm.SHARED, role=Role.SPATIAL),
}
