"""Remove pairs of Transpose that undo each other, also across elementwise operators."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import (
    Array,
    add_constant,
    attribute_ints,
    can_bypass,
    constant_of,
    remove,
    replace_value,
    sole_consumer,
)
from compressor.passes.protocol import Changes, PassContext

Perm = tuple[int, ...]

_UNARY = frozenset(
    {"Relu", "Clip", "LeakyRelu", "Elu", "Selu", "Celu", "Sigmoid", "HardSigmoid", "HardSwish"}
    | {"Tanh", "Softplus", "Softsign", "Gelu", "Mish", "Erf", "Exp", "Log", "Sqrt", "Reciprocal"}
    | {"Abs", "Neg", "Floor", "Ceil", "Cast", "Identity", "Not"}
)
_BROADCASTING = frozenset({"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "PRelu", "Where"})
_REDUCTIONS = frozenset({"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"})


@dataclass(frozen=True, kw_only=True)
class CancelTransposes:
    """Bring inverse transpositions together and drop them; let reductions name other axes.

    Converters of channels-last models put a Transpose before and after each operator that ONNX
    has in channels-first order only. Between two that undo each other stand operators that treat
    every element alike: they compute in the other order as well. A graph never gets more nodes.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Cancel what transpositions of *model* can be cancelled."""
        counts = {"pairs cancelled": 0, "chains merged": 0, "taken into reductions": 0}
        for node in list(model.graph):
            if node.op_type == "Transpose":
                counts["chains merged"] += _merge(node)
                counts["pairs cancelled"] += _cancel(node)
            elif node.op_type in _REDUCTIONS:
                counts["taken into reductions"] += _absorb(node)
        return Changes(counts=counts)


@dataclass(frozen=True)
class _Region:
    """Elementwise nodes that can compute in another order, and the transpositions before them."""

    perm: Perm
    nodes: list[ir.Node] = field(default_factory=list)
    leaves: list[ir.Node] = field(default_factory=list)

    def grow(self, value: ir.Value | None) -> bool:
        """Add what computes *value*; False when it is not ``perm`` of something cheaply known."""
        if value is None:
            return False
        node = value.producer()
        if node is None or quant_of(value) is not None:
            return False
        if node.op_type == "Transpose":
            self.leaves.append(node)
            return _perm_of(node) == self.perm
        if node.op_type not in _UNARY | _BROADCASTING or sole_consumer(value) is None:
            return False
        self.nodes.append(node)
        operands = node.inputs[: 1 if node.op_type in _UNARY else None]
        grown = [self.grow(v) for v in operands if constant_of(v) is None and v is not None]
        known = all(_fits(constant_of(v), self.perm) for v in operands if v is not None)
        return bool(grown) and all(grown) and known


def _cancel(last: ir.Node) -> bool:
    """Drop *last* when the operators before it can give its result by themselves."""
    perm, source = _perm_of(last), last.inputs[0]
    if perm is None or source is None:
        return False
    region = _Region(_inverse(perm))
    if not region.grow(source) or not region.leaves:
        return False
    if not region.nodes and not can_bypass(last):
        return False
    if region.nodes:
        for node in region.nodes:
            _reorder(node, region)
        replace_value(last.outputs[0], source)
    else:
        origin = region.leaves[0].inputs[0]
        if origin is None or (last.outputs[0].is_graph_output() and not _may_be_output(origin)):
            return False
        replace_value(last.outputs[0], origin)
    remove(last)
    for leaf in dict.fromkeys(region.leaves):
        if not leaf.outputs[0].uses() and not leaf.outputs[0].is_graph_output():
            remove(leaf)
    return True


def _may_be_output(value: ir.Value) -> bool:
    return not (value.is_graph_input() or value.is_graph_output() or value.is_initializer())


def _reorder(node: ir.Node, region: _Region) -> None:
    """Let *node* compute in the order before the region's leaves."""
    back = _inverse(region.perm)
    for index, value in enumerate(node.inputs[: 1 if node.op_type in _UNARY else None]):
        constant = constant_of(value)
        producer = None if value is None else value.producer()
        if constant is not None and constant.size > 1 and node.graph is not None:
            widened = constant.reshape((1,) * (len(back) - constant.ndim) + constant.shape)
            name = f"{node.name}_operand_{index}"
            moved = add_constant(node.graph, name, widened.transpose(back))
            node.replace_input_with(index, moved)
        elif producer is not None and producer in region.leaves:
            node.replace_input_with(index, producer.inputs[0])
    for output in node.outputs:
        if output.shape is not None:
            output.shape = ir.Shape([output.shape[axis] for axis in back])


def _merge(node: ir.Node) -> bool:
    """Let *node* read what its producer, a Transpose too, reads."""
    source, perm = node.inputs[0], _perm_of(node)
    first = None if source is None else source.producer()
    if first is None or first.op_type != "Transpose" or source is None or perm is None:
        return False
    inner = _perm_of(first)
    if inner is None or inner == _inverse(perm) or not _same_numbers(first):
        return False
    node.attributes["perm"] = ir.AttrInt64s("perm", [inner[axis] for axis in perm])
    node.replace_input_with(0, first.inputs[0])
    if not source.uses() and not source.is_graph_output():
        remove(first)
    return True


def _absorb(reduction: ir.Node) -> bool:
    """Let *reduction* read what the Transpose before it reads, where the result stays the same."""
    source = reduction.inputs[0]
    before = None if source is None else source.producer()
    axes = constant_of(reduction.inputs[1]) if len(reduction.inputs) > 1 else None
    if before is None or before.op_type != "Transpose" or axes is None or source is None:
        return False
    perm, graph = _perm_of(before), reduction.graph
    if perm is None or graph is None or _keeps_axes(reduction) or not _same_numbers(before):
        return False
    reduced = {int(axis) % len(perm) for axis in axes.ravel()}
    kept = [perm[axis] for axis in range(len(perm)) if axis not in reduced]
    if not reduced or kept != sorted(kept):
        return False
    moved = np.asarray(sorted(perm[axis] for axis in reduced), np.int64)
    reduction.replace_input_with(0, before.inputs[0])
    reduction.replace_input_with(1, add_constant(graph, f"{reduction.name}_axes", moved))
    if not source.uses() and not source.is_graph_output():
        remove(before)
    return True


def _same_numbers(transpose: ir.Node) -> bool:
    """Whether input and output stand for the same numbers, as both floats do."""
    return quant_of(transpose.inputs[0]) == quant_of(transpose.outputs[0])


def _keeps_axes(reduction: ir.Node) -> bool:
    kept = reduction.attributes.get_int("keepdims")
    return kept is None or kept != 0


def _perm_of(node: ir.Node) -> Perm | None:
    perm = attribute_ints(node, "perm", [])
    shape = node.inputs[0].shape if node.inputs[0] is not None else None
    if not perm and shape is not None:  # the default reverses the axes
        perm = list(range(len(shape)))[::-1]
    return tuple(perm) or None


def _inverse(perm: Perm) -> Perm:
    return tuple(int(axis) for axis in np.argsort(perm))


def _fits(constant: Array | None, perm: Perm) -> bool:
    return constant is None or constant.ndim <= len(perm)
