"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR, and for all else one axis after the other.

ONNX has many ways to place samples, TFLite three. Instead of a table of names, the source
positions of every output element are computed under both definitions and compared. What TFLite
cannot place is still separable: nearest neighbours are a gather along each axis, interpolation is a
product with a constant matrix along each axis.
"""

from __future__ import annotations

from enum import Enum

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Unsupported,
    constant_of,
    ints,
    is_integer,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import with_height
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.resampling import (
    Kernel,
    Positions,
    Resampling,
    Weights,
    nearest_elements,
    nearest_matrix,
)
from exporters.tflite.ops.slice import pick

_ROI, _SCALES = 1, 2


class _Grid(Enum):
    """TFLite's placements of samples, as the options spell them."""

    ASYMMETRIC = "asymmetric"
    HALF_PIXEL = "half_pixel"
    ALIGN_CORNERS = "align_corners"

    def positions(self, size: int, out: int) -> Positions:
        """Return where each of *out* elements lies among *size*."""
        index = np.arange(out, dtype=np.float64)
        if self is _Grid.ALIGN_CORNERS:
            return index * ((size - 1) / max(out - 1, 1))
        shift = 0.5 if self is _Grid.HALF_PIXEL else 0.0
        return (index + shift) * (size / out) - shift


def _legalize(node: ir.Node) -> None:
    axes = _axes(node)
    mode = node.attributes.get_string("mode", "nearest") or "nearest"
    is_image = rank_of(required_input(node, 0)) in (3, 4) and all(a.keeps() for a in axes[:2])
    grids = [grid for grid in _Grid if is_image and _matches(node, mode, grid, axes[2:])]
    if grids:
        _resize_image(node, mode, grids[0])
    elif mode == "nearest" and not any(axis.outside().any() for axis in axes):
        _pick_neighbours(node, axes)
    elif is_integer(node):
        raise Unsupported(f"TFLite has no '{mode}' resampling of this kind for integers")
    else:
        _multiply(node, axes)


def _axes(node: ir.Node) -> list[Resampling]:
    """Return how each axis of the input is resampled."""
    before, after = shape_of(required_input(node, 0)), shape_of(node.outputs[0])
    listed = ints(node, "axes") or list(range(len(before)))
    chosen = [normalize_axis(axis, len(before)) for axis in listed]
    scales, regions = _scales(node, chosen), _regions(node, chosen)
    placement = node.attributes.get_string("coordinate_transformation_mode", "half_pixel")
    return [
        Resampling(
            size=size,
            out=out,
            scale=scales.get(axis, out / size),
            placement=(placement or "half_pixel") if axis in chosen else "asymmetric",
            region=regions.get(axis, (0.0, 1.0)),
        )
        for axis, (size, out) in enumerate(zip(before, after, strict=True))
    ]


def _scales(node: ir.Node, axes: list[int]) -> dict[int, float]:
    """Return the magnification of each axis for which it is stated."""
    given = optional_input(node, _SCALES)
    if given is not None and shape_of(given) != (0,):
        array = constant_of(given)
        if array is None:
            raise Unsupported("the scales are computed at run time")
        return dict(zip(axes, array.tolist(), strict=True))
    policy = node.attributes.get_string("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return {}
    sizes = constant_of(optional_input(node, 3))
    if sizes is None:
        raise Unsupported("the sizes are computed at run time")
    before = shape_of(required_input(node, 0))
    ratios = [size / before[axis] for axis, size in zip(axes, sizes.tolist(), strict=True)]
    return dict.fromkeys(axes, min(ratios) if policy == "not_larger" else max(ratios))


def _regions(node: ir.Node, axes: list[int]) -> dict[int, tuple[float, float]]:
    if node.attributes.get_string("coordinate_transformation_mode", "") != "tf_crop_and_resize":
        return {}
    array = constant_of(optional_input(node, _ROI))
    if array is None:
        raise Unsupported("the region to crop is computed at run time")
    starts, ends = array[: len(axes)].tolist(), array[len(axes) :].tolist()
    return {axis: (starts[i], ends[i]) for i, axis in enumerate(axes)}


def _matches(node: ir.Node, mode: str, grid: _Grid, axes: list[Resampling]) -> bool:
    """Whether TFLite's *grid* takes the same samples along all of *axes*."""
    if mode == "nearest":
        return all(_matches_nearest(node, grid, axis) for axis in axes)
    plain = mode == "linear" and not node.attributes.get_int("antialias", 0)
    outside = node.attributes.get_int("exclude_outside", 0)
    return plain and not outside and all(_matches_linear(grid, axis) for axis in axes)


def _matches_nearest(node: ir.Node, grid: _Grid, axis: Resampling) -> bool:
    shift = 0.0 if grid is _Grid.ASYMMETRIC else 0.5
    found = np.clip(np.floor(grid.positions(axis.size, axis.out) + shift), 0, axis.size - 1)
    wanted = nearest_elements(axis, _rounding(node))
    return bool(np.array_equal(wanted, found)) and not axis.outside().any()


def _matches_linear(grid: _Grid, axis: Resampling) -> bool:
    positions = (axis.positions(), grid.positions(axis.size, axis.out))
    wanted, found = (np.clip(x, 0, axis.size - 1) for x in positions)
    return bool(np.allclose(wanted, found)) and not axis.outside().any()


def _rounding(node: ir.Node) -> str:
    return node.attributes.get_string("nearest_mode", "round_prefer_floor") or "round_prefer_floor"


def _resize_image(node: ir.Node, mode: str, grid: _Grid) -> None:
    editor, source, out = Editor(node), required_input(node, 0), node.outputs[0]
    size = shape_of(out)[2:]
    if len(size) == 1:
        source, size = with_height(editor, source), (1, *size)
    shape = (*shape_of(source)[:2], *size)
    op_type = "ResizeNearest" if mode == "nearest" else "ResizeBilinear"
    quant = quant_of(out)
    result = editor.op(op_type, [source], shape, {"grid": grid.value}, quant=quant)
    editor.replace(editor.reshape(result, shape_of(out)) if rank_of(out) == 3 else result)


def _pick_neighbours(node: ir.Node, axes: list[Resampling]) -> None:
    editor, result = Editor(node), required_input(node, 0)
    for index, axis in enumerate(axes):
        elements = nearest_elements(axis, _rounding(node))
        if not np.array_equal(elements, np.arange(axis.size)):
            result = pick(editor, result, index, elements)
    editor.replace(result)


def _multiply(node: ir.Node, axes: list[Resampling]) -> None:
    editor, result = Editor(node), required_input(node, 0)
    fill = node.attributes.get_float("extrapolation_value", 0.0)
    for index, axis in enumerate(axes):
        if not axis.keeps():
            bias = np.where(axis.outside(), fill, 0.0).astype(np.float32)
            weight = editor.constant(_matrix(node, axis).astype(np.float32))
            result = _along(editor, result, index, weight, editor.constant(bias))
    editor.replace(result)


def _matrix(node: ir.Node, axis: Resampling) -> Weights:
    mode = node.attributes.get_string("mode", "nearest") or "nearest"
    if mode == "nearest":
        return nearest_matrix(axis, _rounding(node))
    kernel = Kernel(
        mode=mode,
        cubic=node.attributes.get_float("cubic_coeff_a", -0.75),
        antialias=bool(node.attributes.get_int("antialias", 0)),
        drops_outside=bool(node.attributes.get_int("exclude_outside", 0)),
    )
    return kernel.matrix(axis)


def _along(
    editor: Editor, value: ir.Value, axis: int, weight: ir.Value, bias: ir.Value
) -> ir.Value:
    """Return *value* with each vector along *axis* multiplied by *weight* `[out, in]`."""
    to_last = (*(a for a in range(rank_of(value)) if a != axis), axis)
    moved = editor.transpose(value, to_last)
    shape = (*shape_of(moved)[:-1], shape_of(weight)[0])
    product = editor.op("FullyConnected", [moved, weight, bias], shape)
    return editor.transpose(product, tuple(to_last.index(a) for a in range(len(to_last))))


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
