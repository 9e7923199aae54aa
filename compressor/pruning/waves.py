"""In which order layers are re-solved: first what comes first, what is independent together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.clamp import clamp_bounds
from compressor.ir.rewrite import constant_of, sole_consumer


@dataclass(frozen=True, kw_only=True)
class Task:
    """One layer to re-solve.

    Attributes:
        node: its name.
        source: the value that it reads.
        target: the value whose dense form it shall come near: its own output, or the sum that
            only it completes.
        beside: the other operand of that sum.
        bounds: between which answers count; a Relu or Clip that follows makes all beyond alike.
    """

    node: str
    source: str
    target: str
    beside: str | None
    bounds: tuple[float, float]


def is_solvable(node: ir.Node) -> bool:
    """Whether *node* is a Conv, of any groups, or a Gemm with constant [N, K] weights."""
    weight = constant_of(node.inputs[1]) if len(node.inputs) > 1 else None
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if weight is None or (bias is not None and constant_of(bias) is None):
        return False
    return node.op_type == "Conv" or (
        node.op_type == "Gemm" and bool(node.attributes.get_int("transB", 0))
    )


def waves_of(model: ir.Model) -> list[list[Task]]:
    """Return the layers of *model* in waves: none depends on another of its own wave or a later."""
    depth: dict[ir.Value, int] = {}
    found: dict[int, list[ir.Node]] = {}
    for node in model.graph:
        before = max((depth.get(v, 0) for v in node.inputs if v is not None), default=0)
        if is_solvable(node):
            found.setdefault(before, []).append(node)
            before += 1
        for value in node.outputs:
            depth[value] = before
    return [[_task(node, depth) for node in found[wave]] for wave in sorted(found)]


def _task(node: ir.Node, depth: dict[ir.Value, int]) -> Task:
    result, beside = _completed_sum(node, depth)
    after = sole_consumer(result)
    bounds = None if after is None else clamp_bounds(after)
    source = node.inputs[0]
    return Task(
        node=node.name or "",
        source="" if source is None else source.name or "",
        target=result.name or "",
        beside=None if beside is None else beside.name,
        bounds=bounds or (-math.inf, math.inf),
    )


def _completed_sum(node: ir.Node, depth: dict[ir.Value, int]) -> tuple[ir.Value, ir.Value | None]:
    """Return the residual sum that *node* completes and its other operand, or its own output."""
    result = own = node.outputs[0]
    after = sole_consumer(result)
    if node.op_type == "Gemm" and after is not None and after.op_type == "Reshape":
        shape = after.outputs[0].shape
        if shape is None or own.shape is None or shape[-1] != own.shape[-1]:
            return own, None
        result, after = after.outputs[0], sole_consumer(after.outputs[0])
    if after is None or after.op_type != "Add" or after.inputs[0] is after.inputs[1]:
        return own, None
    other = after.inputs[1] if after.inputs[0] is result else after.inputs[0]
    if other is None or constant_of(other) is not None or other.shape != result.shape:
        return own, None
    if result.shape is None or depth.get(other, 0) >= depth[own]:
        return own, None
    return after.outputs[0], other
