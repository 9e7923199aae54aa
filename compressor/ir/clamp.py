"""Clamps (Relu, Clip): their bounds, and when saturation makes them redundant."""

from __future__ import annotations

import math

import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import constant_of


def clamp_bounds(node: ir.Node) -> tuple[float, float] | None:
    """Return the constant bounds of a Relu or Clip *node*; None for anything else."""
    if node.op_type == "Relu":
        return 0.0, math.inf
    if node.op_type != "Clip":
        return None
    bounds = []
    for index, default in ((1, -math.inf), (2, math.inf)):
        value = node.inputs[index] if len(node.inputs) > index else None
        constant = constant_of(value)
        if value is not None and (constant is None or constant.size != 1):
            return None
        bounds.append(default if constant is None else float(constant.reshape(())))
    return bounds[0], bounds[1]


def clamp_is_redundant(node: ir.Node) -> bool:
    """Whether *node* is a clamp that changes no integer: equal scales that end inside its bounds.

    Half a step of slack absorbs the rounding of the scale to float32.
    """
    bounds, params = clamp_bounds(node), quant_of(node.outputs[0])
    if bounds is None or params is None or quant_of(node.inputs[0]) != params:
        return False
    low, high = params.range()
    slack = params.scale[0] / 2
    return bounds[0] - slack <= low and high <= bounds[1] + slack
