"""Normalizations, written out: TFLite has none of them as one operator.

Layer normalization: Ba, Kiros and Hinton, 2016. The variance is the mean of squared deviations,
never a difference of squares, which would cancel.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import (
    Array,
    Shape,
    Unsupported,
    constant_input,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering

_LAYER_EPSILON = 1e-5
_INSTANCE_EPSILON = 1e-5


def _layer(node: ir.Node) -> None:
    source = required_input(node, 0)
    rank = rank_of(source)
    first = normalize_axis(node.attributes.get_int("axis", -1), rank)
    epsilon = node.attributes.get_float("epsilon", _LAYER_EPSILON)
    editor = Editor(node)
    result = _standardized(editor, source, list(range(first, rank)), epsilon)
    result = editor.elementwise("Mul", result, required_input(node, 1))
    bias = optional_input(node, 2)
    editor.replace(result if bias is None else editor.elementwise("Add", result, bias))


def _instance(node: ir.Node) -> None:
    source = required_input(node, 0)
    epsilon = node.attributes.get_float("epsilon", _INSTANCE_EPSILON)
    editor = Editor(node)
    axes = list(range(2, rank_of(source)))
    result = _standardized(editor, source, axes, epsilon)
    scale = constant_input(node, 1, "the scale")
    editor.replace(_per_channel(editor, result, scale, constant_input(node, 2, "the bias")))


def _group(node: ir.Node) -> None:
    source = required_input(node, 0)
    shape, groups = shape_of(source), node.attributes.get_int("num_groups", 1)
    epsilon = node.attributes.get_float("epsilon", _INSTANCE_EPSILON)
    editor = Editor(node)
    grouped = editor.reshape(source, (shape[0], groups, int(np.prod(shape[1:])) // groups))
    result = editor.reshape(_standardized(editor, grouped, [2], epsilon), shape)
    scale = constant_input(node, 1, "the scale")
    editor.replace(_per_channel(editor, result, scale, constant_input(node, 2, "the bias")))


def _batch(node: ir.Node) -> None:
    """Scale and shift each channel; one that follows a convolution has been folded before."""
    if node.attributes.get_int("training_mode", 0):
        raise Unsupported("BatchNormalization is in training mode")
    scale, bias, mean, variance = (
        constant_input(node, index, "a statistic").astype(np.float64) for index in (1, 2, 3, 4)
    )
    factor = scale / np.sqrt(variance + node.attributes.get_float("epsilon", 1e-5))
    editor = Editor(node)
    shifted = (bias - mean * factor).astype(np.float32)
    source = required_input(node, 0)
    editor.replace(_per_channel(editor, source, factor.astype(np.float32), shifted))


def _standardized(editor: Editor, source: ir.Value, axes: list[int], epsilon: float) -> ir.Value:
    """Return *source* with mean 0 and variance 1 over *axes*."""
    centered = editor.elementwise("Sub", source, _mean(editor, source, axes))
    variance = _mean(editor, editor.elementwise("Mul", centered, centered), axes)
    guarded = editor.elementwise("Add", variance, editor.constant(np.float32(epsilon)))
    inverse = editor.op("Rsqrt", [guarded], shape_of(guarded))
    return editor.elementwise("Mul", centered, inverse)


def _mean(editor: Editor, value: ir.Value, axes: list[int]) -> ir.Value:
    shape: Shape = tuple(1 if axis in axes else n for axis, n in enumerate(shape_of(value)))
    return editor.op("Mean", [value], shape, {"axes": axes})


def _per_channel(editor: Editor, value: ir.Value, scale: Array, bias: Array) -> ir.Value:
    """Return *value* times *scale* plus *bias*, both `[C]`."""
    trailing = (1,) * (rank_of(value) - 2)
    scaled = editor.elementwise("Mul", value, editor.constant(scale.reshape(-1, *trailing)))
    return editor.elementwise("Add", scaled, editor.constant(bias.reshape(-1, *trailing)))


LEGALIZE: dict[str, Legalize] = {
    "LayerNormalization": _layer,
    "InstanceNormalization": _instance,
    "GroupNormalization": _group,
    "BatchNormalization": _batch,
}
LOWER: dict[str, Lowering] = {}
