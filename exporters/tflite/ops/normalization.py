"""Normalizations, written out: TFLite has none of them as one operator.

Layer normalization: Ba, Kiros and Hinton, 2016. The variance is the mean of squared deviations,
never a difference of squares, which would cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import (
    Shape,
    Unsupported,
    constant_input,
    constant_of,
    ints,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.pooling import raised, root
from exporters.tflite.ops.protocol import Legalize, Lowering

_LAYER_EPSILON = 1e-5
_INSTANCE_EPSILON = 1e-5
_TINY = 1e-9


def _layer(node: ir.Node) -> None:
    """Standardize the last axes; the mean and the inverse deviation are results where asked for."""
    source = required_input(node, 0)
    rank = rank_of(source)
    first = normalize_axis(node.attributes.get_int("axis", -1), rank)
    epsilon = node.attributes.get_float("epsilon", _LAYER_EPSILON)
    editor = Editor(node)
    parts = _standardized(editor, source, list(range(first, rank)), epsilon)
    result = editor.elementwise("Mul", parts.result, required_input(node, 1))
    bias = optional_input(node, 2)
    result = result if bias is None else editor.elementwise("Add", result, bias)
    editor.replace(*(result, parts.mean, parts.inverse)[: len(node.outputs)])


def _instance(node: ir.Node) -> None:
    source = required_input(node, 0)
    epsilon = node.attributes.get_float("epsilon", _INSTANCE_EPSILON)
    editor = Editor(node)
    axes = list(range(2, rank_of(source)))
    result = _standardized(editor, source, axes, epsilon).result
    editor.replace(_per_channel(editor, result, *_scale_and_bias(node)))


def _group(node: ir.Node) -> None:
    source = required_input(node, 0)
    shape, groups = shape_of(source), node.attributes.get_int("num_groups", 1)
    epsilon = node.attributes.get_float("epsilon", _INSTANCE_EPSILON)
    editor = Editor(node)
    grouped = editor.reshape(source, (shape[0], groups, int(np.prod(shape[1:])) // groups))
    result = editor.reshape(_standardized(editor, grouped, [2], epsilon).result, shape)
    editor.replace(_per_channel(editor, result, *_scale_and_bias(node)))


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
    terms = [editor.constant(array) for array in (factor.astype(np.float32), shifted)]
    editor.replace(_per_channel(editor, source, *terms))


def _mean_variance(node: ir.Node) -> None:
    """Divide what is left of the mean by the deviation, which a tiny number keeps from zero."""
    source = required_input(node, 0)
    axes = [normalize_axis(axis, rank_of(source)) for axis in ints(node, "axes") or [0, 2, 3]]
    editor = Editor(node)
    centered = editor.elementwise("Sub", source, _mean(editor, source, axes))
    variance = _mean(editor, editor.elementwise("Mul", centered, centered), axes)
    deviation = editor.elementwise("Sqrt", variance)
    guarded = editor.elementwise("Add", deviation, editor.constant(np.float32(_TINY)))
    editor.replace(editor.elementwise("Div", centered, guarded))


def _norm(node: ir.Node) -> None:
    """Divide by the p-norm along an axis; vectors of zeros stay what they are."""
    source, power = required_input(node, 0), node.attributes.get_int("p", 2)
    axis = normalize_axis(node.attributes.get_int("axis", -1), rank_of(source))
    editor = Editor(node)
    shape: Shape = tuple(1 if a == axis else n for a, n in enumerate(shape_of(source)))
    total = editor.op("Sum", [raised(editor, source, power)], shape, {"axes": [axis]})
    length = root(editor, total, power)
    smallest = editor.constant(np.finfo(np.float32).tiny)
    editor.replace(editor.elementwise("Div", source, editor.elementwise("Max", length, smallest)))


@dataclass(frozen=True, kw_only=True)
class _Standardized:
    """Values with mean 0 and variance 1, and by what they were shifted and scaled."""

    result: ir.Value
    mean: ir.Value
    inverse: ir.Value


def _standardized(
    editor: Editor, source: ir.Value, axes: list[int], epsilon: float
) -> _Standardized:
    """Return *source* with mean 0 and variance 1 over *axes*."""
    mean = _mean(editor, source, axes)
    centered = editor.elementwise("Sub", source, mean)
    variance = _mean(editor, editor.elementwise("Mul", centered, centered), axes)
    guarded = editor.elementwise("Add", variance, editor.constant(np.float32(epsilon)))
    inverse = editor.op("Rsqrt", [guarded], shape_of(guarded))
    result = editor.elementwise("Mul", centered, inverse)
    return _Standardized(result=result, mean=mean, inverse=inverse)


def _mean(editor: Editor, value: ir.Value, axes: list[int]) -> ir.Value:
    shape: Shape = tuple(1 if axis in axes else n for axis, n in enumerate(shape_of(value)))
    return editor.op("Mean", [value], shape, {"axes": axes})


def _scale_and_bias(node: ir.Node) -> tuple[ir.Value, ir.Value]:
    return required_input(node, 1), required_input(node, 2)


def _per_channel(editor: Editor, value: ir.Value, scale: ir.Value, bias: ir.Value) -> ir.Value:
    """Return *value* times *scale* plus *bias*, both `[C]`."""
    shape = (-1, *(1,) * (rank_of(value) - 2))
    factor, term = (_shaped(editor, vector, shape) for vector in (scale, bias))
    return editor.elementwise("Add", editor.elementwise("Mul", value, factor), term)


def _shaped(editor: Editor, vector: ir.Value, shape: Shape) -> ir.Value:
    array = constant_of(vector)
    if array is not None:
        return editor.constant(array.reshape(shape), None, vector.name or "")
    return editor.reshape(vector, (shape_of(vector)[0], *shape[1:]))


LEGALIZE: dict[str, Legalize] = {
    "LayerNormalization": _layer,
    "InstanceNormalization": _instance,
    "GroupNormalization": _group,
    "BatchNormalization": _batch,
    "MeanVarianceNormalization": _mean_variance,
    "LpNormalization": _norm,
}
LOWER: dict[str, Lowering] = {}
