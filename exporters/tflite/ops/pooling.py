"""Windows that reduce: MAX_POOL_2D and AVERAGE_POOL_2D; global pools become reductions.

TFLite's average divides by the number of elements inside the input, which is ONNX's default; the
form that counts padding is an explicit PAD with an unpadded pool.
"""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
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
    spatial_shape,
    window_of,
    with_height,
)
from exporters.tflite.ops.protocol import IntegerForm, Legalize, Lowering, Role

_LOWEST = float("-inf")
_NEVER_NEGATIVE = frozenset({"Relu", "Relu6", "Relu0To1", "Sigmoid", "Softmax"})


def _legalize_pool(node: ir.Node) -> None:
    editor = Editor(node)
    source, out = required_input(node, 0), node.outputs[0]
    size, out_size = spatial_shape(source), spatial_shape(out)
    window = window_of(node, size, tuple(ints(node, "kernel_shape")), out_size)
    if any(step != 1 for step in window.dilation):
        raise Unsupported("TFLite pools have no dilation")
    if len(size) == 1:
        source, window = with_height(editor, source), window.over_one_row()
        size, out_size = (1, *size), (1, *out_size)
    source, padding = _padded(editor, node, source, size, window)
    attributes = {
        "padding": padding,
        "strides": list(window.stride),
        "kernel": list(window.kernel),
    }
    shape = (*shape_of(source)[:2], *out_size)
    result = editor.op(f"{node.op_type}2D", [source], shape, attributes, quant=quant_of(out))
    if rank_of(out) == 3:
        result = editor.reshape(result, shape_of(out))
    editor.replace(result)


def _padded(
    editor: Editor, node: ir.Node, source: ir.Value, size: Shape, window: Window
) -> tuple[ir.Value, str]:
    """Return what to pool and the padding scheme; pads explicitly where TFLite's own differ."""
    if not window.is_padded():
        return source, "VALID"
    is_average = node.op_type == "AveragePool"
    counts_padding = is_average and node.attributes.get_int("count_include_pad", 0) == 1
    if window.matches_same(size) and not counts_padding:
        return source, "SAME"
    if is_average and not counts_padding:
        raise Unsupported("an average that leaves out padding needs the padding TFLite calls SAME")
    if is_average and node.attributes.get_int("ceil_mode", 0) == 1:
        raise Unsupported("an average with ceil_mode counts elements outside the stated padding")
    neutral = 0.0 if is_average or _is_never_negative(source) else _LOWEST
    return pad_spatially(editor, source, window, neutral), "VALID"


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
    "GlobalAveragePool": _legalize_global("Mean"),
    "GlobalMaxPool": _legalize_global("ReduceMax"),
}
LOWER = {"MaxPool2D": _emit(Op.MAX_POOL_2D), "AveragePool2D": _emit(Op.AVERAGE_POOL_2D)}
