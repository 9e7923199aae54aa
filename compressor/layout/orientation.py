"""Where the source has its channels: at axis 1, or, after a Transpose, last.

Spatial operators fix it (ONNX has channels first); elementwise operators, Transposes between the
two orders and Reshapes that leave the channel axis alone carry it on. Nothing else does; where no
spatial operator decides, the first value of a stretch counts as channels first.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import onnx_ir as ir

from compressor.layout.access import is_constant, perm_of, rank_of, shape_of
from compressor.layout.orders import LOWEST_RANK, Label, Shape, positions, to_first, to_last
from compressor.layout.rules import Role, Rules

_Step = tuple[ir.Value, Label]


def orient(graph: ir.Graph, rules: Rules) -> dict[ir.Value, Label]:
    """Return the source's order of each activation of rank 3 or more in *graph*."""
    found = orient_images(graph, rules)
    for node in graph:
        for value in tracked(node):
            _spread([(value, Label.FIRST)], found, rules)
    return found


def orient_images(graph: ir.Graph, rules: Rules) -> dict[ir.Value, Label]:
    """Return the source's order of the activations that spatial operators reach."""
    found: dict[ir.Value, Label] = {}
    spatial = [node for node in graph if rules.role(node) is Role.SPATIAL]
    _spread([(value, Label.FIRST) for node in spatial for value in tracked(node)], found, rules)
    return found


def _spread(seeds: list[_Step], found: dict[ir.Value, Label], rules: Rules) -> None:
    """Add to *found* what follows from *seeds*; what is known already stays."""
    queue = deque(seeds)
    while queue:
        start, label = queue.popleft()
        if start not in found:
            for value in _elementwise_neighbours(start, rules):
                found[value] = label
                queue.extend(_beyond(value, label, rules))


def is_tracked(value: ir.Value | None) -> bool:
    """Whether *value* is an activation with enough axes to have two orders."""
    return value is not None and not is_constant(value) and rank_of(value) >= LOWEST_RANK


def tracked(node: ir.Node) -> list[ir.Value]:
    """Return the inputs and outputs of *node* that have an order."""
    return [value for value in (*node.inputs, *node.outputs) if value and is_tracked(value)]


def _elementwise_neighbours(start: ir.Value, rules: Rules) -> list[ir.Value]:
    """Return *start* and all values tied to it by operators that treat all axes alike."""
    members, stack = {start: None}, [start]
    while stack:
        value = stack.pop()
        for node in (value.producer(), *value.consumers()):
            if node is not None and rules.role(node) is Role.ANY:
                fresh = [other for other in tracked(node) if other not in members]
                members |= dict.fromkeys(fresh)
                stack.extend(fresh)
    return list(members)


def _beyond(value: ir.Value, label: Label, rules: Rules) -> list[_Step]:
    """Return the source orders that follow across the Reshapes and Transposes next to *value*."""
    steps: list[_Step] = []
    for node in (value.producer(), *value.consumers()):
        if node is None or rules.role(node) is not Role.MOVEMENT or len(tracked(node)) != 2:
            continue
        source, out = tracked(node)
        for before, after in _carried(node):
            if value is source and label is before:
                steps.append((out, after))
            if value is out and label is after:
                steps.append((source, before))
    return steps


def _carried(node: ir.Node) -> list[tuple[Label, Label]]:
    """Return the pairs of source orders before and after a Transpose or Reshape."""
    before, after = shape_of(node.inputs[0]), shape_of(node.outputs[0])
    if node.op_type == "Transpose":
        perm = perm_of(node)
        pairs = [
            (to_last(len(perm)), (Label.FIRST, Label.LAST)),
            (to_first(len(perm)), (Label.LAST, Label.FIRST)),
        ]
        return [labels for order, labels in pairs if order == perm]
    kept = []
    if _keeps(before, after, to_last(len(before)), to_last(len(after))):
        kept.append((Label.FIRST, Label.FIRST))
    if _keeps(before, after, to_first(len(before)), to_first(len(after))):
        kept.append((Label.LAST, Label.LAST))
    return kept


def _keeps(before: Shape, after: Shape, order_before: Shape, order_after: Shape) -> bool:
    return np.array_equal(positions(before, order_before), positions(after, order_after))
