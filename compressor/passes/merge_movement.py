"""Write a Transpose of merged axes as a Transpose of the axes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import attribute_ints, replace_node, sole_consumer
from compressor.ir.symbols import dims_of, product_of
from compressor.passes.protocol import Changes, PassContext

Dims = Sequence[int | str | None]


@dataclass(frozen=True, kw_only=True)
class MergeMovement:
    """Turn Reshape, Transpose, Reshape into one Transpose where axes are merged and split again.

    Exporters swap the last two axes of attention's keys with batch and heads merged into one axis.
    The one Transpose that is left meets the one before it, and both become one.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Merge the movement of *model*."""
        merged = 0
        for last in [node for node in model.graph if node.op_type == "Reshape"]:
            chain = _chain(last)
            perm = None if chain is None else _perm_of_axes(*chain, last)
            if chain is None or perm is None:
                continue
            source = chain[0].inputs[0]
            replace_node(last, [ir.node("Transpose", [source], {"perm": perm}, name=last.name)])
            merged += 1
        return Changes(counts={"transpositions merged with reshapes": merged})


def _chain(last: ir.Node) -> tuple[ir.Node, ir.Node] | None:
    """Return the Reshape and the Transpose before *last*, which nothing else reads."""
    turn = _sole_producer(last, "Transpose")
    first = None if turn is None else _sole_producer(turn, "Reshape")
    values = [] if turn is None or first is None else [first.inputs[0], *first.outputs]
    if turn is None or first is None or any(v is None or quant_of(v) is not None for v in values):
        return None
    return first, turn


def _sole_producer(node: ir.Node, op_type: str) -> ir.Node | None:
    value = node.inputs[0]
    producer = None if value is None else value.producer()
    if value is None or producer is None or producer.op_type != op_type:
        return None
    return producer if sole_consumer(value) is node else None


def _perm_of_axes(first: ir.Node, turn: ir.Node, last: ir.Node) -> list[int] | None:
    """Return the order of *first*'s input axes that the three nodes make; None where they mix."""
    source, merged, result = first.inputs[0], first.outputs[0], last.outputs[0]
    if source is None or source.shape is None or merged.shape is None or result.shape is None:
        return None
    dims = dims_of(source.shape)
    groups = _groups(dims, dims_of(merged.shape))
    if groups is None:
        return None
    rank = len(groups)
    order = attribute_ints(turn, "perm", range(rank - 1, -1, -1))
    axes = [axis for group in order for axis in groups[group] if dims[axis] != 1]
    ones = [axis for axis, dim in enumerate(dims) if dim == 1]
    wanted = dims_of(result.shape)
    if [dims[axis] for axis in axes] != [dim for dim in wanted if dim != 1]:
        return None
    if len(wanted) != len(dims):
        return None
    return [(ones if dim == 1 else axes).pop(0) for dim in wanted]


def _groups(dims: Dims, merged: Dims) -> list[list[int]] | None:
    """Return which neighbouring axes of *dims* each axis of *merged* is; None where it is none."""
    if None in dims or None in merged:
        return None
    found: list[list[int]] = []
    axis = 0
    for wanted in merged:
        group: list[int] = []
        while axis < len(dims) and product_of([dims[i] for i in group]) != product_of([wanted]):
            group.append(axis)
            axis += 1
        if product_of([dims[i] for i in group]) != product_of([wanted]):
            return None
        found.append(group)
    if not found or any(dims[i] != 1 for i in range(axis, len(dims))):
        return None
    found[-1].extend(range(axis, len(dims)))
    return found
