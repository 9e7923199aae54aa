"""Convolutions over three axes: CONV_3D.

ONNX weights `[O, I, kD, kH, kW]` become `[kD, kH, kW, I, O]`.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Array,
    Shape,
    Unsupported,
    constant_input,
    ints,
    optional_input,
    required_input,
    set_constant,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.operands import activation_of, pad_spatially, padding_of, window_of
from exporters.tflite.ops.protocol import Lowering, Role

_DHWIO = (2, 3, 4, 1, 0)


def legalize_volume(node: ir.Node) -> None:
    """Rewrite a convolution over volumes; groups become zeros between the channels of others."""
    editor, source, out = Editor(node), required_input(node, 0), node.outputs[0]
    weight = constant_input(node, 1, "the weight")
    size = shape_of(source)[2:]
    window = window_of(node, size, weight.shape[2:], shape_of(out)[2:])
    padding = "SAME" if window.matches_same(size) else "VALID"
    if padding == "VALID" and window.is_padded():
        source = pad_spatially(editor, source, window)
    dense = editor.constant(_without_groups(weight, node.attributes.get_int("group", 1)))
    bias = optional_input(node, 2)
    if bias is None:
        bias = editor.constant(np.zeros(weight.shape[0], np.float32))
    attributes = {
        "padding": padding,
        "strides": list(window.stride),
        "dilations": list(window.dilation),
    }
    editor.replace(editor.op("Conv3D", [source, dense, bias], shape_of(out), attributes))


def _without_groups(weight: Array, groups: int) -> Array:
    """Return grouped weights `[O, I/g, ...]` as dense ones `[O, I, ...]`."""
    if groups == 1:
        return weight
    outputs, inputs = weight.shape[0], weight.shape[1]
    if outputs * inputs * groups * int(np.prod(weight.shape[2:])) > _LARGEST_DENSE:
        raise Unsupported("its groups, written out as one, would be too large")
    dense = np.zeros((outputs, inputs * groups, *weight.shape[2:]), weight.dtype)
    share = outputs // groups
    for group in range(groups):
        rows, columns = slice(group * share, (group + 1) * share), group * inputs
        dense[rows, columns : columns + inputs] = weight[rows]
    return dense


_LARGEST_DENSE = 1 << 24


def _reorder(node: ir.Node, _order: Shape) -> None:
    array = constant_input(node, 1, "the weight").transpose(_DHWIO)
    set_constant(required_input(node, 1), array, None)


def _emit(node: ir.Node, builder: Builder) -> None:
    depth, height, width = ints(node, "strides")
    apart_depth, apart_height, apart_width = ints(node, "dilations")
    options = schema.Conv3DOptionsT(
        padding=padding_of(node),
        strideD=depth,
        strideH=height,
        strideW=width,
        dilationDFactor=apart_depth,
        dilationHFactor=apart_height,
        dilationWFactor=apart_width,
        fusedActivationFunction=activation_of(node),
    )
    builder.emit(Op.CONV_3D, node, options=options)


LOWER_VOLUME = {"Conv3D": Lowering(emit=_emit, role=Role.SPATIAL, reorder=_reorder)}
