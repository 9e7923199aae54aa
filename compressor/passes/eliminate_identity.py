"""Remove nodes that return their input unchanged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import attribute_ints, bypass, can_bypass, constant_of
from compressor.passes.protocol import Changes, PassContext

_NEUTRAL = {"Add": 0, "Sub": 0, "Mul": 1, "Div": 1}
_SHAPE_OPS = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile"})


@dataclass(frozen=True, kw_only=True)
class EliminateIdentity:
    """Bypass Identity, inference-time Dropout and data movement that moves nothing."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Remove the identities of *model*."""
        removed = 0
        for node in list(model.graph):
            if _is_identity(node) and _keeps_scale(node) and can_bypass(node):
                bypass(node)
                removed += 1
        return Changes(counts={"identities removed": removed})


def _keeps_scale(node: ir.Node) -> bool:
    """Whether input and output are represented alike; integers of two scales are not the same."""
    return quant_of(node.inputs[0]) == quant_of(node.outputs[0])


def _is_identity(node: ir.Node) -> bool:
    match node.op_type:
        case "Identity" | "Concat":
            return len(node.inputs) == 1
        case "Dropout":
            return _is_inference(node) and not any(map(_is_read, node.outputs[1:]))
        case "Transpose":
            perm = attribute_ints(node, "perm", [])
            return bool(perm) and perm == sorted(perm)
        case "Pad":
            pads = constant_of(node.inputs[1])
            return pads is not None and not np.any(pads)
        case "Cast":
            dtype = None if node.inputs[0] is None else node.inputs[0].dtype
            return dtype is not None and dtype == node.outputs[0].dtype
        case "Slice":
            return _steps_forward(node) and _same_shape(node.inputs[0], node.outputs[0])
        case "Reshape":
            source, result = node.inputs[0], node.outputs[0]
            return _same_shape(source, result) or _same_but_for_one(source, result)
        case op if op in _NEUTRAL:
            neutral = _all(node.inputs[1], _NEUTRAL[op])
            return neutral and _same_shape(node.inputs[0], node.outputs[0])
        case op if op in _SHAPE_OPS:
            return _same_shape(node.inputs[0], node.outputs[0])
        case _:
            return False


def _all(value: ir.Value | None, number: int) -> bool:
    """Whether *value* is a constant all of whose elements are *number*."""
    constant = constant_of(value)
    return constant is not None and bool((constant == number).all())


def _is_inference(dropout: ir.Node) -> bool:
    """Whether *dropout* lets everything through; its third input would say otherwise."""
    mode = dropout.inputs[2] if len(dropout.inputs) > 2 else None
    constant = constant_of(mode)
    return mode is None or (constant is not None and not constant.any())


def _is_read(value: ir.Value) -> bool:
    return bool(value.uses()) or value.is_graph_output()


def _steps_forward(node: ir.Node) -> bool:
    """Whether a Slice keeps the order: a step of -1 over a whole axis reverses it."""
    steps = node.inputs[4] if len(node.inputs) > 4 else None
    constant = constant_of(steps)
    return steps is None or (constant is not None and bool((constant > 0).all()))


def _same_shape(source: ir.Value | None, result: ir.Value) -> bool:
    """Whether both shapes are known and equal, with at most one dimension by symbol."""
    if source is None or source.shape is None or result.shape is None:
        return False
    if source.shape != result.shape:
        return False
    symbols = [dim for dim in source.shape if not isinstance(dim, int)]
    return all(dim.value is not None for dim in symbols) and len(symbols) <= 1


def _same_but_for_one(source: ir.Value | None, result: ir.Value) -> bool:
    """Whether all lengths but one are known and equal; the elements stay, so that one is too."""
    if source is None or source.shape is None or result.shape is None:
        return False
    pairs = list(zip(source.shape, result.shape, strict=False))
    open_pairs = [pair for pair in pairs if not all(isinstance(dim, int) for dim in pair)]
    closed = [pair for pair in pairs if pair not in open_pairs]
    same_rank = len(source.shape) == len(result.shape)
    both_open = len(open_pairs) == 1 and not any(isinstance(dim, int) for dim in open_pairs[0])
    return same_rank and both_open and all(a == b and a != 0 for a, b in closed)
