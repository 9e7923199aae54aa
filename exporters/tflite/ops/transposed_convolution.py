"""Transposed convolutions: TRANSPOSE_CONV, with a SLICE where ONNX crops otherwise than SAME.

ONNX weights `[I, O, kH, kW]` become `[O, kH, kW, I]`.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
    Shape,
    Unsupported,
    constant_input,
    ints,
    is_integer,
    permuted,
    rank_of,
    required_input,
    set_constant,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.convolution import bias_of
from exporters.tflite.ops.operands import activation_of, padding_of, spatial_shape, with_height
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.ops.slice import take

_OHWI = (1, 2, 3, 0)


def _legalize(node: ir.Node) -> None:
    """Write the convolution with all that its windows cover, then crop to what ONNX keeps.

    Where ONNX keeps more than the windows cover, zeros behind the input let them cover it.
    """
    editor, source, out = Editor(node), required_input(node, 0), node.outputs[0]
    weight = _dense_weight(editor, node)
    size, out_size, stride = _geometry(node)
    kernel = shape_of(weight)[2:]
    before = _cropped_in_front(node, size, out_size, stride, kernel)
    if rank_of(source) == 3:
        source = with_height(editor, source)
    reach = [b + o for b, o in zip(before, out_size, strict=True)]
    covered = [
        max(-(-(r - k) // s) + 1, n) for r, k, s, n in zip(reach, kernel, stride, size, strict=True)
    ]
    source = _extended(editor, source, size, covered)
    full = tuple((n - 1) * s + k for n, s, k in zip(covered, stride, kernel, strict=True))
    excess = [f - o for f, o in zip(full, out_size, strict=True)]
    is_same = all(
        (o, b) == (n * s, max(e, 0) // 2)
        for n, s, o, b, e in zip(covered, stride, out_size, before, excess, strict=True)
    )
    batch, channels = shape_of(out)[:2]
    result = editor.op(
        "TransposeConv2D",
        [source, weight, bias_of(editor, node, channels)],
        (batch, channels, *(out_size if is_same else full)),
        {"padding": "SAME" if is_same else "VALID", "strides": list(stride)},
        quant=quant_of(out),
    )
    if not is_same and any(excess):
        result = take(editor, result, [0, 0, *before], (batch, channels, *out_size))
    editor.replace(editor.reshape(result, shape_of(out)) if rank_of(out) == 3 else result)


def _dense_weight(editor: Editor, node: ir.Node) -> ir.Value:
    """Return the weights `[I, O, kH, kW]`, zeros between groups and between dilated taps."""
    value, groups = required_input(node, 1), node.attributes.get_int("group", 1)
    array, params = constant_input(node, 1, "the weight"), quant_of(value)
    if array.ndim == 3:
        array = array[:, :, None, :]
    apart = ints(node, "dilations") or [1] * rank_of(required_input(node, 0))
    apart = [1, *apart][-2:] if len(apart) == 1 else apart
    if groups > 1:
        if params is not None and params.is_per_channel:
            raise Unsupported("grouped weights with a scale for each channel are not written out")
        array = _without_groups(array, groups)
    return editor.constant(_spread(array, apart), params, value.name or "")


def _without_groups(weight: Array, groups: int) -> Array:
    """Return grouped weights `[I, O/g, ...]` as dense ones `[I, O, ...]`."""
    inputs, outputs = weight.shape[:2]
    dense = np.zeros((inputs, outputs * groups, *weight.shape[2:]), weight.dtype)
    share = inputs // groups
    for group in range(groups):
        rows, columns = slice(group * share, (group + 1) * share), group * outputs
        dense[rows, columns : columns + outputs] = weight[rows]
    return dense


def _spread(weight: Array, apart: list[int]) -> Array:
    """Return *weight* with its taps *apart*, zeros between them."""
    if all(step == 1 for step in apart):
        return weight
    extents = [(k - 1) * step + 1 for k, step in zip(weight.shape[2:], apart, strict=True)]
    spread = np.zeros((*weight.shape[:2], *extents), weight.dtype)
    spread[:, :, :: apart[0], :: apart[1]] = weight
    return spread


def _geometry(node: ir.Node) -> tuple[Shape, Shape, Shape]:
    """Return extents of input and output, and strides, all 2-D."""
    size, out = spatial_shape(required_input(node, 0)), spatial_shape(node.outputs[0])
    stride = tuple(ints(node, "strides") or [1] * len(size))
    if len(size) == 1:
        return (1, *size), (1, *out), (1, *stride)
    return size, out, stride


def _cropped_in_front(
    node: ir.Node, size: Shape, out: Shape, stride: Shape, kernel: Shape
) -> list[int]:
    """Return how many elements are dropped in front of each axis."""
    auto = node.attributes.get_string("auto_pad", "NOTSET") or "NOTSET"
    stated = ints(node, "output_shape")
    if auto == "VALID" or (auto == "NOTSET" and not stated):
        pads = ints(node, "pads") or [0] * (2 * (rank_of(node.outputs[0]) - 2))
        front = [0] * len(pads) if auto == "VALID" else pads
        return [0, *front[:1]] if len(pads) == 2 else front[:2]
    added = ints(node, "output_padding") or [0, 0]
    added = [0, *added] if len(added) == 1 else added
    total = [
        max((n - 1) * s + k + a - o, 0)
        for n, s, k, a, o in zip(size, stride, kernel, added, out, strict=True)
    ]
    return [t // 2 if auto == "SAME_UPPER" else t - t // 2 for t in total]


def _extended(editor: Editor, source: ir.Value, size: Shape, covered: list[int]) -> ir.Value:
    """Return *source* with zeros behind, up to *covered* elements along the spatial axes."""
    behind = [c - n for c, n in zip(covered, size, strict=True)]
    if not any(behind):
        return source
    shape = (*shape_of(source)[:2], *covered)
    attributes = {"before": [0, 0, 0, 0], "after": [0, 0, *behind], "fill": 0.0}
    return editor.op("Pad", [source], shape, attributes, quant=quant_of(source))


def _reorder(node: ir.Node, _order: Shape) -> None:
    weight = required_input(node, 1)
    array = constant_input(node, 1, "the weight").transpose(_OHWI)
    set_constant(weight, array, permuted(quant_of(weight), _OHWI))


def _check(node: ir.Node) -> str | None:
    params = quant_of(node.inputs[1])
    if params is None:
        return "an integer convolution needs integer weights" if is_integer(node) else None
    if any(params.zero_point) or params.axis not in (None, 0):
        return "TFLite weights are symmetric, per output channel or per tensor"
    return None


def _emit(node: ir.Node, builder: Builder) -> None:
    stride_h, stride_w = ints(node, "strides")
    options = schema.TransposeConvOptionsT(
        padding=padding_of(node),
        strideH=stride_h,
        strideW=stride_w,
        fusedActivationFunction=activation_of(node),
    )
    shape = builder.shape(shape_of(node.outputs[0]), node, "shape")
    weight, source, bias = (builder.operand(node, index) for index in (1, 0, 2))
    builder.emit(Op.TRANSPOSE_CONV, node, [shape, weight, source, bias], options)


LEGALIZE = {"ConvTranspose": _legalize}
LOWER = {
    "TransposeConv2D": Lowering(
        emit=_emit,
        check=_check,
        integer=IntegerForm.FREE,
        role=Role.SPATIAL,
        reorder=_reorder,
    )
}
