"""Reshape and Transpose under changed storage orders: what they become, and what that costs."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.layout.access import is_constant, perm_of, shape_of
from compressor.layout.mincut import PairCost
from compressor.layout.orders import (
    Label,
    Shape,
    compose,
    inverse,
    item_size,
    positions,
    stored_order,
    transpose_cost,
)
from compressor.layout.rules import Rules


def movement_costs(node: ir.Node, source_in: Label, source_out: Label, rules: Rules) -> PairCost:
    """Return the bytes that *node* moves for each order of its input and of its output.

    *source_in* and *source_out* are the source's own orders.
    """
    rank_in, rank_out = len(shape_of(node.inputs[0])), len(shape_of(node.outputs[0]))
    table = [
        movement_cost(
            node,
            stored_order(before, source_in, rank_in),
            stored_order(after, source_out, rank_out),
            rules,
        )
        for before in Label
        for after in Label
    ]
    return PairCost(c00=table[0], c01=table[1], c10=table[2], c11=table[3])


def movement_cost(node: ir.Node, before: Shape, after: Shape, rules: Rules) -> int:
    """Return the bytes that *node* moves, reading order *before* and making order *after*."""
    shape, size = shape_of(node.inputs[0]), item_size(node.outputs[0])
    if node.op_type == "Transpose":
        stored = tuple(shape[axis] for axis in before)
        return transpose_cost(stored_perm(node, before, after), stored, size)
    if keeps_order(node, before, after) or flatten_consumers(node, rules):
        return 0
    out = shape_of(node.outputs[0])
    return transpose_cost(before, shape, size) + transpose_cost(after, out, size)


def stored_perm(node: ir.Node, before: Shape, after: Shape) -> Shape:
    """Return the permutation of stored axes that the Transpose *node* comes down to."""
    return compose(inverse(before), compose(perm_of(node), after))


def keeps_order(node: ir.Node, before: Shape, after: Shape) -> bool:
    """Whether the Reshape *node* leaves all elements in place under these orders."""
    source, out = shape_of(node.inputs[0]), shape_of(node.outputs[0])
    return np.array_equal(positions(source, before), positions(out, after))


def flatten_consumers(node: ir.Node, rules: Rules) -> list[ir.Node]:
    """Return the matrix products that alone read the Reshape *node*, if it flattens samples.

    They can take the elements of each sample in any order, with the rows of their constant weights
    permuted alike. Empty when anything else sees the result.
    """
    source, out = shape_of(node.inputs[0]), shape_of(node.outputs[0])
    if len(out) != 2 or out[0] != source[0]:
        return []
    return _products(node.outputs[0], rules) or []


def _products(value: ir.Value, rules: Rules) -> list[ir.Node] | None:
    """Return the matrix products behind *value* and elementwise nodes; None if others read it."""
    if value.is_graph_output():
        return None
    found: list[ir.Node] = []
    for node in value.consumers():
        if node.op_type == rules.product and node.inputs[0] is value:
            if not is_constant(node.inputs[1]):
                return None
            found.append(node)
        elif node.op_type in rules.passed_by_flatten:
            behind = _products(node.outputs[0], rules)
            if behind is None:
                return None
            found.extend(behind)
        else:
            return None
    return found
