"""Real numbers rounded to integers and back, where a model does so as ordinary arithmetic.

Quantization that computes is an annotation of the graph, and written as such. What is left of
QuantizeLinear and DequantizeLinear, at an interface or between real numbers, is division, rounding
and casting.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import (
    Unsupported,
    normalize_axis,
    optional_input,
    rank_of,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.types import BYTES, type_of

_FLOAT = ir.DataType.FLOAT
_INTEGERS = (BYTES | {ir.DataType.INT16, ir.DataType.UINT16}) - {ir.DataType.BOOL}


def _quantize(node: ir.Node) -> None:
    editor, source, out = Editor(node), required_input(node, 0), node.outputs[0]
    if type_of(out) not in _INTEGERS:
        raise Unsupported(f"TFLite has no rounding to {type_of(out).name.lower()}")
    scale, zero = _parameters(editor, node)
    steps = editor.elementwise("Round", editor.elementwise("Div", source, scale))
    if zero is not None:
        steps = editor.elementwise("Add", steps, zero)
    limits = np.iinfo(type_of(out).numpy())
    low, high = (editor.constant(np.float32(limit)) for limit in (limits.min, limits.max))
    held = editor.elementwise("Min", editor.elementwise("Max", steps, low), high)
    editor.replace(editor.cast(held, type_of(out)))


def _dequantize(node: ir.Node) -> None:
    editor, source = Editor(node), required_input(node, 0)
    if type_of(source) not in _INTEGERS | {ir.DataType.INT32}:
        raise Unsupported(f"TFLite has no numbers of type {type_of(source).name.lower()}")
    scale, zero = _parameters(editor, node)
    steps = editor.cast(source, _FLOAT)
    if zero is not None:
        steps = editor.elementwise("Sub", steps, zero)
    editor.replace(editor.elementwise("Mul", steps, scale))


def _parameters(editor: Editor, node: ir.Node) -> tuple[ir.Value, ir.Value | None]:
    """Return scale and zero point as reals, in the shape of the input's axes."""
    if node.attributes.get_int("block_size", 0):
        raise Unsupported("scales of blocks are not written")
    scale, zero = required_input(node, 1), optional_input(node, 2)
    if type_of(scale) != _FLOAT:
        raise Unsupported(f"a scale of type {type_of(scale).name.lower()} is not written")
    zero = None if zero is None else _aligned(editor, node, editor.cast(zero, _FLOAT))
    return _aligned(editor, node, scale), zero


def _aligned(editor: Editor, node: ir.Node, value: ir.Value) -> ir.Value:
    if rank_of(value) == 0 or shape_of(value) == (1,):
        return value
    rank = rank_of(required_input(node, 0))
    axis = normalize_axis(node.attributes.get_int("axis", 1), rank)
    return editor.reshape(value, (shape_of(value)[0], *(1,) * (rank - axis - 1)))


LEGALIZE: dict[str, Legalize] = {"QuantizeLinear": _quantize, "DequantizeLinear": _dequantize}
LOWER: dict[str, Lowering] = {}
