"""Which nodes compute in integers under static INT8, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from compressor.analyses.float_results import float_results
from compressor.ir.op_facts import NORMALIZATIONS, Role, data_inputs, facts_of
from compressor.ir.rewrite import constant_of

_BETWEEN = "lies between a layer and what reads it in float"


@dataclass(frozen=True, kw_only=True)
class IntegerRegions:
    """The split of a graph.

    Attributes:
        integer: nodes that compute in integers.
        float_results: those among them that read integers and give floats.
        weight_only: nodes that compute in float from integer weights.
        reasons: why each remaining node stays float, by node.
    """

    integer: frozenset[ir.Node]
    float_results: frozenset[ir.Node]
    weight_only: frozenset[ir.Node]
    reasons: Mapping[ir.Node, str]


def integer_regions(graph: ir.Graph, keep_float: frozenset[str] = frozenset()) -> IntegerRegions:
    """Split *graph*: matrix products with constant weights and what lies between them is integer.

    Args:
        graph: the canonical float graph.
        keep_float: names of nodes that must stay float.
    """
    sums = _normalized_sums(graph)
    reasons: dict[ir.Node, str] = {}
    integer: set[ir.Node] = set()
    anchored: set[ir.Node] = set()
    for node in graph:
        reason = _refusal(node, integer, sums, keep_float)
        if reason:
            reasons[node] = reason
            continue
        integer.add(node)
        producers = {value.producer() for value in data_inputs(node)}
        if facts_of(node).role is Role.COMPUTE or producers & anchored:
            anchored.add(node)
    leaving = float_results(graph, integer)
    reasons.update(
        dict.fromkeys(leaving.between, "lies between a layer and what reads it in float")
    )
    integer -= leaving.between
    for node in reversed(list(graph)):
        reason = _not_worth_it(node, integer, anchored) if node in integer else ""
        if reason:
            integer.discard(node)
            reasons[node] = reason
    storing = {n for n in graph if facts_of(n).role in (Role.RECURRENT, Role.LOOKUP)}
    weight_only = frozenset(n for n in storing if n.name not in keep_float)
    return IntegerRegions(
        integer=frozenset(integer),
        float_results=leaving.products,
        weight_only=weight_only,
        reasons=reasons,
    )


def _refusal(
    node: ir.Node, integer: set[ir.Node], sums: frozenset[ir.Node], keep_float: frozenset[str]
) -> str:
    """Return why *node* cannot be integer, given the nodes before it; empty when it can."""
    role = facts_of(node).role
    if node.name in keep_float:
        return "kept in float on request"
    if role is Role.RECURRENT:
        return "recurrent state stays float; its weights are stored as integers"
    if role is Role.LOOKUP:
        return "its table is stored as integers"
    if role is Role.FLOAT:
        return f"{node.op_type} computes in float"
    if any(out.dtype != ir.DataType.FLOAT for out in node.outputs) or not data_inputs(node):
        return "does not compute on float tensors"
    if role is Role.COMPUTE:
        return "" if _is_plain(node) else "it is not a plain product with a weight and a bias"
    if node in sums:
        return "a sum that a normalization reads loses too much in 8 bits"
    for value in data_inputs(node):
        producer = value.producer()
        if producer is not None and producer not in integer:
            return "reads a value that is float"
    return ""


def _is_plain(node: ir.Node) -> bool:
    """Whether *node* multiplies rows or patches by a weight and adds one constant a channel."""
    weight, bias = node.inputs[1], node.inputs[2] if len(node.inputs) > 2 else None
    rank = 0 if weight is None or weight.shape is None else len(weight.shape)
    constant = constant_of(bias)
    if bias is not None and (constant is None or constant.ndim != 1):
        return False
    if node.op_type == "Conv":
        return rank >= 3
    attributes = node.attributes
    scaled = (attributes.get_float("alpha", 1.0), attributes.get_float("beta", 1.0)) != (1.0, 1.0)
    return rank == 2 and not scaled and not attributes.get_int("transA")


def _normalized_sums(graph: ir.Graph) -> frozenset[ir.Node]:
    """Residual sums that reach a normalization: their outliers need more than 8 bits.

    Quantizing them costs a MiniLM 0.08 of cosine similarity to the float model on its own.
    """
    sums: set[ir.Node] = set()
    pending = [v for n in graph if n.op_type in NORMALIZATIONS for v in n.inputs[:1]]
    seen: set[ir.Value] = set()
    while pending:
        value = pending.pop()
        producer = None if value is None or value in seen else value.producer()
        if value is None or producer is None:
            continue
        seen.add(value)
        if producer.op_type == "Add":
            sums.add(producer)
        if producer.op_type == "Add" or facts_of(producer).role is Role.MOVEMENT:
            pending += data_inputs(producer)
    return frozenset(sums)


def _not_worth_it(node: ir.Node, integer: set[ir.Node], anchored: set[ir.Node]) -> str:
    """Return why an integer-capable *node* is better left float, given its consumers."""
    facts = facts_of(node)
    if facts.role is Role.COMPUTE:
        return ""
    consumers = [consumer for out in node.outputs for consumer in out.consumers()]
    is_output = any(out.is_graph_output() for out in node.outputs)
    if facts.gate and (is_output or any(c not in integer for c in consumers)):
        return "its result is read in float"
    if node not in anchored and not any(c in integer for c in consumers):
        return "no integer node is next to it"
    return ""
