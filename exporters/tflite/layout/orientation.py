"""Where the source has its channels: at axis 1, or, after a Transpose, last.

Spatial operators fix it (ONNX has channels first); elementwise operators, Transposes between the
two orders and Reshapes that leave the channel axis alone carry it on. Nothing else does; where no
spatial operator decides, the first value of a stretch counts as channels first.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import DIALECT, Shape, ints, is_constant, rank_of, shape_of
from exporters.tflite.layout.orders import LOWEST_RANK, Label, positions, to_first, to_last
from exporters.tflite.ops.protocol import Role
from exporters.tflite.ops.tables import lowerings

_Step = tuple[ir.Value, Label]


def orient(graph: ir.Graph) -> dict[ir.Value, Label]:
    """Return the source's order of each activation of rank 3 or more in *graph*."""
    found = orient_images(graph)
    for node in graph:
        for value in tracked(node):
            _spread([(value, Label.FIRST)], found)
    return found


def orient_images(graph: ir.Graph) -> dict[ir.Value, Label]:
    """Return the source's order of the activations that spatial operators reach."""
    found: dict[ir.Value, Label] = {}
    spatial = [node for node in graph if role_of(node) is Role.CHANNELS_LAST]
    _spread([(value, Label.FIRST) for node in spatial for value in tracked(node)], found)
    return found


def _spread(seeds: list[_Step], found: dict[ir.Value, Label]) -> None:
    """Add to *found* what follows from *seeds*; what is known already stays."""
    queue = deque(seeds)
    while queue:
        start, label = queue.popleft()
        if start not in found:
            for value in _elementwise_neighbours(start):
                found[value] = label
                queue.extend(_beyond(value, label))


def role_of(node: ir.Node) -> Role:
    """Return which axis orders *node* can compute in; the source's outside the dialect."""
    return lowerings()[node.op_type].role if node.domain == DIALECT else Role.SOURCE


def is_tracked(value: ir.Value | None) -> bool:
    """Whether *value* is an activation with enough axes to have two orders."""
    return value is not None and not is_constant(value) and rank_of(value) >= LOWEST_RANK


def tracked(node: ir.Node) -> list[ir.Value]:
    """Return the inputs and outputs of *node* that have an order."""
    return [value for value in (*node.inputs, *node.outputs) if value and is_tracked(value)]


def _elementwise_neighbours(start: ir.Value) -> list[ir.Value]:
    """Return *start* and all values tied to it by operators that treat all axes alike."""
    members, stack = {start: None}, [start]
    while stack:
        value = stack.pop()
        for node in (value.producer(), *value.consumers()):
            if node is not None and role_of(node) is Role.ANY:
                fresh = [other for other in tracked(node) if other not in members]
                members |= dict.fromkeys(fresh)
                stack.extend(fresh)
    return list(members)


def _beyond(value: ir.Value, label: Label) -> list[_Step]:
    """Return the source orders that follow across the Reshapes and Transposes next to *value*."""
    steps: list[_Step] = []
    for node in (value.producer(), *value.consumers()):
        if node is None or role_of(node) is not Role.MOVEMENT or len(tracked(node)) != 2:
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
        perm = tuple(ints(node, "perm"))
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
