"""Expressions that TFLite has one operator for, recognised before legalization.

- ``x / 2 * (1 + erf(x / sqrt(2)))`` in any association is GELU (Hendrycks and Gimpel, 2016), which
  older exporters write out; TFLite has no erf.
- ``1 / sqrt(x)`` is RSQRT.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from exporters.tflite.dialect import constant_of, required_input, shape_of
from exporters.tflite.editor import Editor

_SINGLE_PRECISION = 1e-6


def name_patterns(graph: ir.Graph) -> None:
    """Replace the expressions of *graph* that one operator computes; integer ones are left."""
    for node in graph:
        if quant_of(node.outputs[0]) is None:
            if node.op_type == "Erf":
                _name_gelu(node)
            elif node.op_type == "Sqrt":
                _name_rsqrt(node)


def _name_gelu(erf: ir.Node) -> None:
    source = _divided_by_root_two(required_input(erf, 0))
    one_plus = _sole_reader(erf.outputs[0])
    if source is None or one_plus is None or one_plus.op_type != "Add":
        return
    if 1.0 not in [_scalar(value) for value in one_plus.inputs]:
        return
    factors, scale = _factors(source)
    wanted = Counter([*factors, one_plus.outputs[0]])
    product = _sole_reader(one_plus.outputs[0])
    while product is not None and product.op_type in ("Mul", "Div"):
        found, found_scale = _factors(product.outputs[0])
        if Counter(found) == wanted and _is_close(found_scale, scale / 2):
            editor = Editor(product)
            editor.replace(editor.onnx("Gelu", [source], shape_of(source)))
            return
        product = _sole_reader(product.outputs[0])


def _divided_by_root_two(value: ir.Value) -> ir.Value | None:
    """Return x when *value* is ``x / sqrt(2)``."""
    node = value.producer()
    if node is None or node.op_type not in ("Mul", "Div"):
        return None
    left, right = required_input(node, 0), required_input(node, 1)
    constant = _scalar(right)
    if node.op_type == "Div":
        return left if constant is not None and _is_close(constant, math.sqrt(2)) else None
    if constant is None:
        left, constant = right, _scalar(left)
    return left if constant is not None and _is_close(constant, math.sqrt(0.5)) else None


def _factors(value: ir.Value) -> tuple[list[ir.Value], float]:
    """Return the factors of a product, and the constant one."""
    node = value.producer()
    if node is None or node.op_type not in ("Mul", "Div"):
        constant = _scalar(value)
        return ([value], 1.0) if constant is None else ([], constant)
    left, left_scale = _factors(required_input(node, 0))
    right, right_scale = _factors(required_input(node, 1))
    if node.op_type == "Mul":
        return left + right, left_scale * right_scale
    return (left, left_scale / right_scale) if not right and right_scale else ([value], 1.0)


def _name_rsqrt(root: ir.Node) -> None:
    value = root.outputs[0]
    node = _sole_reader(value)
    if node is None or node.op_type not in ("Div", "Reciprocal"):
        return
    inverts = node.op_type == "Reciprocal" or (
        node.inputs[1] is value and _scalar(node.inputs[0]) == 1.0
    )
    if inverts and shape_of(node.outputs[0]) == shape_of(value):
        editor = Editor(node)
        editor.replace(editor.op("Rsqrt", [required_input(root, 0)], shape_of(value)))


def _sole_reader(value: ir.Value) -> ir.Node | None:
    """Return the only node that reads *value*."""
    readers = value.consumers()
    return readers[0] if len(readers) == 1 and not value.is_graph_output() else None


def _scalar(value: ir.Value | None) -> float | None:
    """Return the number that *value* always is; None for anything else."""
    array = constant_of(value)
    return float(array.item()) if array is not None and array.size == 1 else None


def _is_close(left: float, right: float) -> bool:
    return bool(np.isclose(left, right, rtol=_SINGLE_PRECISION))
