"""Windows that reduce: MAX_POOL_2D and AVERAGE_POOL_2D; global pools become reductions.

TFLite's average divides by the number of elements inside the input, which is ONNX's default, where
its own padding is the one asked for. Everything else is padded with zeros and averaged over all
taps, then scaled by how many of them each window was to count. Windows over volumes are separable:
planes first, then across them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of, set_quant
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
    Shape,
    Unsupported,
    ints,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import (
    Window,
    activation_of,
    pad_spatially,
    padding_of,
    window_of,
    with_height,
)
from exporters.tflite.ops.protocol import IntegerForm, Legalize, Lowering, Role
from exporters.tflite.ops.slice import pick

Counts = list[Array]
PoolImage = Callable[[Editor, ir.Value, Window, ir.Value], ir.Value]
_LOWEST = float("-inf")
_NEVER_NEGATIVE = frozenset({"Relu", "Relu6", "Relu0To1", "Sigmoid", "Softmax"})


def _legalize_pool(node: ir.Node) -> None:
    """Pool images in one operator where TFLite pads as the node says, else along parts of them."""
    source, out = required_input(node, 0), node.outputs[0]
    size, out_size = shape_of(source)[2:], shape_of(out)[2:]
    window = window_of(node, size, tuple(ints(node, "kernel_shape")), out_size)
    editor = Editor(node)
    is_flat = len(size) <= 2 and all(step == 1 for step in window.dilation)
    counts = _counts(node, window, size, out_size)
    if is_flat and _pads_alike(window, size, counts):
        result = _pool(node.op_type, "SAME")(editor, source, window, out)
    elif node.op_type == "MaxPool":
        neutral = 0.0 if _is_never_negative(source) else _LOWEST
        result = _largest(editor, padded(editor, source, window, neutral), window, out)
    else:
        result = _average(editor, source, window, out)
        result = _weighted(editor, result, counts, int(np.prod(window.kernel)))
    editor.replace(result)


def _pads_alike(window: Window, size: Shape, counts: Counts | None) -> bool:
    """Whether TFLite's SAME is the padding, and counts the elements that are to be counted."""
    if not window.is_padded() or not _image_window(window).matches_same(_image_size(size)):
        return False
    inside = [_count_inside(window, size, axis) for axis in range(len(size))]
    return counts is None or all(map(np.array_equal, counts, inside))


def _image_window(window: Window) -> Window:
    return window.over_one_row() if len(window.kernel) == 1 else window


def _image_size(size: Shape) -> Shape:
    return (1, *size) if len(size) == 1 else size


def _counts(node: ir.Node, window: Window, size: Shape, out: Shape) -> Counts | None:
    """Return how many elements each average is taken over, per axis; None for the largest.

    Padding counts where the node says so, but never what ``ceil_mode`` adds beyond it.
    """
    if node.op_type == "MaxPool":
        return None
    includes = node.attributes.get_int("count_include_pad", 0) == 1
    pads = ints(node, "pads") or [0] * (2 * len(size))
    automatic = node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
    behind = window.after if automatic else tuple(pads[len(size) :])
    counts = []
    for axis, extent in enumerate(size):
        front, back = (window.before[axis], behind[axis]) if includes else (0, 0)
        places = _places(window, axis, out[axis])
        counts.append(((places >= -front) & (places < extent + back)).sum(axis=1))
    return counts


def _count_inside(window: Window, size: Shape, axis: int) -> Array:
    out = -(-size[axis] // window.stride[axis])
    places = _places(window, axis, out)
    return np.asarray(((places >= 0) & (places < size[axis])).sum(axis=1))


def _places(window: Window, axis: int, out: int) -> Array:
    """Return the input positions `[out, taps]` that each window covers along *axis*."""
    starts = np.arange(out) * window.stride[axis] - window.before[axis]
    taps = np.arange(window.kernel[axis]) * window.dilation[axis]
    return np.asarray(starts[:, None] + taps)


def _pool(op_type: str, padding: str = "VALID") -> PoolImage:
    return partial(_pooled_image, op_type, padding)


def _pooled_image(  # noqa: PLR0917 - the first two are bound by _pool
    op_type: str, padding: str, editor: Editor, source: ir.Value, window: Window, out: ir.Value
) -> ir.Value:
    """Return *source*, of one or two spatial axes, pooled by one operator to the shape of *out*."""
    is_line = len(window.kernel) == 1
    if is_line:
        source, window = with_height(editor, source), window.over_one_row()
    attributes = {
        "padding": padding,
        "strides": list(window.stride),
        "kernel": list(window.kernel),
    }
    size = shape_of(out)[2:]
    shape = (*shape_of(source)[:2], *_image_size(size))
    kind, params = f"{op_type}2D", quant_of(out)
    result = editor.op(kind, [source], shape, attributes, quant=params)
    return editor.reshape(result, shape_of(out)) if is_line else result


def padded(editor: Editor, source: ir.Value, window: Window, fill: float) -> ir.Value:
    """Return *source* with the padding of *window* in place."""
    return pad_spatially(editor, source, window, fill) if window.is_padded() else source


def _largest(editor: Editor, source: ir.Value, window: Window, out: ir.Value) -> ir.Value:
    """Return the largest elements of windows over the padded *source*, axis by axis if need be."""
    size = shape_of(out)[2:]
    if any(step != 1 for step in window.dilation):
        return _largest_of_taps(editor, source, window, size)
    return _by_planes(editor, _pool("MaxPool"), source, window, out)


def _largest_of_taps(editor: Editor, source: ir.Value, window: Window, size: Shape) -> ir.Value:
    for axis, extent in enumerate(size):
        starts = np.arange(extent) * window.stride[axis]
        taps = [
            pick(editor, source, axis + 2, starts + tap * window.dilation[axis])
            for tap in range(window.kernel[axis])
        ]
        source = taps[0]
        for tap in taps[1:]:
            source = editor.elementwise("Max", source, tap, quant=quant_of(source))
    return source


def _average(editor: Editor, source: ir.Value, window: Window, out: ir.Value) -> ir.Value:
    """Return the averages over all taps of *window*, padding counted as zeros."""
    is_dilated = any(step != 1 for step in window.dilation)
    pool = _convolved_mean if is_dilated else _pool("AveragePool")
    return _by_planes(editor, pool, padded(editor, source, window, 0.0), window, out)


def _convolved_mean(editor: Editor, source: ir.Value, window: Window, out: ir.Value) -> ir.Value:
    """Return averages over dilated windows, which a convolution has and a pool has not."""
    channels = shape_of(source)[1]
    weight = np.full((channels, 1, *window.kernel), 1 / np.prod(window.kernel), np.float32)
    attributes = {
        "group": channels,
        "strides": list(window.stride),
        "dilations": list(window.dilation),
    }
    return editor.onnx("Conv", [source, editor.constant(weight)], shape_of(out), attributes)


def _by_planes(
    editor: Editor, pool: PoolImage, source: ir.Value, window: Window, out: ir.Value
) -> ir.Value:
    """Pool without padding; of volumes first each plane, then across planes."""
    if len(window.kernel) <= 2:
        return pool(editor, source, window, out)
    batch, channels, *_, height, width = shape_of(out)
    depth = shape_of(source)[2]
    planes = editor.reshape(source, (batch, channels * depth, *shape_of(source)[3:]))
    flat = _like(out, (batch, channels * depth, height, width))
    inner = pool(editor, planes, window.part(1, 3), flat)
    stacked = editor.reshape(inner, (batch, channels, depth, height * width))
    rows = _like(out, (batch, channels, shape_of(out)[2], height * width))
    across = pool(editor, stacked, window.over_columns(), rows)
    return editor.reshape(across, shape_of(out))


def _like(value: ir.Value, shape: Shape) -> ir.Value:
    """Return a stand-in of *shape* with the representation of *value*."""
    stand_in = ir.Value(name="", shape=ir.Shape(shape), type=value.type)
    set_quant(stand_in, quant_of(value))
    return stand_in


def _weighted(editor: Editor, average: ir.Value, counts: Counts | None, taps: int) -> ir.Value:
    """Return the averages over *taps* elements as averages over *counts* of them."""
    number: Array = np.ones((1, 1), np.int64)
    for axis in counts or []:
        number = np.expand_dims(number, -1) * axis
    if np.all(number == taps):
        return average
    if quant_of(average) is not None:
        raise Unsupported("an average of integers that leaves out padding needs TFLite's SAME")
    factor = editor.constant((taps / number).astype(np.float32))
    return editor.elementwise("Mul", average, factor)


def _legalize_power(node: ir.Node) -> None:
    """Rewrite the p-norm of windows as a root of their average of powers."""
    editor, source, out = Editor(node), required_input(node, 0), node.outputs[0]
    power = node.attributes.get_int("p", 2)
    window = window_of(
        node, shape_of(source)[2:], tuple(ints(node, "kernel_shape")), shape_of(out)[2:]
    )
    mean = _average(editor, raised(editor, source, power), window, out)
    taps = editor.constant(np.float32(np.prod(window.kernel)))
    editor.replace(root(editor, editor.elementwise("Mul", mean, taps), power))


def _legalize_global_power(node: ir.Node) -> None:
    editor, source = Editor(node), required_input(node, 0)
    power, axes = node.attributes.get_int("p", 2), list(range(2, rank_of(source)))
    shape = (*shape_of(source)[:2], *(1 for _ in axes))
    total = editor.op("Sum", [raised(editor, source, power)], shape, {"axes": axes})
    editor.replace(root(editor, total, power))


def raised(editor: Editor, value: ir.Value, power: int) -> ir.Value:
    """Return the magnitudes of *value* to the *power*."""
    if power == 2:
        return editor.elementwise("Mul", value, value)
    size = editor.elementwise("Abs", value)
    return size if power == 1 else editor.elementwise("Pow", size, _real(editor, power))


def root(editor: Editor, value: ir.Value, power: int) -> ir.Value:
    """Return the *power*-th root of *value*, which is not negative."""
    if power == 2:
        return editor.elementwise("Sqrt", value)
    return value if power == 1 else editor.elementwise("Pow", value, _real(editor, 1 / power))


def _real(editor: Editor, number: float) -> ir.Value:
    return editor.constant(np.float32(number))


def _is_never_negative(value: ir.Value) -> bool:
    """Whether padding with zero, which TFLite does faster, cannot become the maximum."""
    params, producer = quant_of(value), value.producer()
    if params is not None:
        return params.range()[0] >= 0.0
    return producer is not None and producer.op_type in _NEVER_NEGATIVE


def _legalize_global(reduction: str) -> Legalize:
    def legalize(node: ir.Node) -> None:
        editor = Editor(node)
        source = required_input(node, 0)
        axes = list(range(2, rank_of(source)))
        shape = (*shape_of(source)[:2], *(1 for _ in axes))
        editor.replace(editor.op(reduction, [source], shape, {"axes": axes}))

    return legalize


def _emit(op: int) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        (stride_h, stride_w), (height, width) = ints(node, "strides"), ints(node, "kernel")
        options = schema.Pool2DOptionsT(
            padding=padding_of(node),
            strideH=stride_h,
            strideW=stride_w,
            filterHeight=height,
            filterWidth=width,
            fusedActivationFunction=activation_of(node),
        )
        builder.emit(op, node, options=options)

    return Lowering(emit=emit, integer=IntegerForm.SHARED, role=Role.SPATIAL)


LEGALIZE = {
    "MaxPool": _legalize_pool,
    "AveragePool": _legalize_pool,
    "LpPool": _legalize_power,
    "GlobalLpPool": _legalize_global_power,
    "GlobalAveragePool": _legalize_global("Mean"),
    "GlobalMaxPool": _legalize_global("ReduceMax"),
}
LOWER = {"MaxPool2D": _emit(Op.MAX_POOL_2D), "AveragePool2D": _emit(Op.AVERAGE_POOL_2D)}
