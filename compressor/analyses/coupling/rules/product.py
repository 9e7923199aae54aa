"""Matrix products: the contracted axes of both operands go together, the others pass."""

from __future__ import annotations

from itertools import zip_longest

import onnx_ir as ir

from compressor.analyses.coupling.labels import Ids
from compressor.analyses.coupling.rules.elementwise import broadcast
from compressor.analyses.coupling.tracer import Tracer


def _gemm(node: ir.Node, tracer: Tracer) -> None:
    first, second = node.inputs[0], node.inputs[1]
    if first is None or second is None:
        return
    transposed_first = node.attributes.get_int("transA", 0)
    transposed_second = node.attributes.get_int("transB", 0)
    inner = [(first, 0 if transposed_first else 1), (second, 1 if transposed_second else 0)]
    tracer.join(inner, f"it meets an axis of '{node.name}' that cannot shrink")
    rows = tracer.produce(first, 1 if transposed_first else 0)
    columns = tracer.produce(second, 0 if transposed_second else 1)
    axes = [rows, columns]
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    if bias is not None and bias.shape is not None:
        for axis in range(len(bias.shape)):
            if bias.shape[axis] != 1:
                tracer.give(bias, axis, axes[axis - len(bias.shape)])
    tracer.put(node.outputs[0], axes)


def _matmul(node: ir.Node, tracer: Tracer) -> None:
    first, second = node.inputs[0], node.inputs[1]
    if first is None or second is None:
        return
    ranks = len(tracer.axes(first)), len(tracer.axes(second))
    inner = [(first, ranks[0] - 1), (second, max(ranks[1] - 2, 0))]
    tracer.join(inner, f"it meets an axis of '{node.name}' that cannot shrink")
    outer: list[Ids | None] = []
    if ranks[0] > 1:
        outer.append(tracer.produce(first, ranks[0] - 2))
    if ranks[1] > 1:
        outer.append(tracer.produce(second, ranks[1] - 1))
    batch = [
        broadcast(tracer, node, [(value, axis) for value, axis in places if axis is not None])
        for places in zip_longest(
            _reversed(first, ranks[0] - 2), _reversed(second, ranks[1] - 2), fillvalue=(first, None)
        )
    ]
    tracer.put(node.outputs[0], [*reversed(batch), *outer])


def _reversed(value: ir.Value, count: int) -> list[tuple[ir.Value, int | None]]:
    return [(value, axis) for axis in reversed(range(count))]


def _einsum(node: ir.Node, tracer: Tracer) -> None:
    """Letters are axes: equal letters go together, those that only one operand has are summed."""
    equation = (node.attributes.get_string("equation") or "").replace(" ", "")
    values = [value for value in node.inputs if value is not None]
    left, _, right = equation.partition("->")
    terms = left.split(",")
    if "->" not in equation or "." in equation or len(terms) != len(values):
        for value in values:
            tracer.freeze(value, f"the equation of '{node.name}' is not explicit")
        return
    labels: dict[str, Ids | None] = {}
    for letter in dict.fromkeys("".join(terms)):
        places = [
            (value, axis)
            for value, term in zip(values, terms, strict=True)
            for axis, found in enumerate(term)
            if found == letter
        ]
        if letter in right and len(places) == 1:
            tracer.produce(*places[0])
        labels[letter] = tracer.join(places, f"it meets an axis of '{node.name}' that stays")
        if letter not in right and len(places) == 1:
            tracer.freeze(places[0][0], f"'{node.name}' sums over it", [places[0][1]])
    tracer.put(node.outputs[0], [labels[letter] for letter in right])


RULES = {"Gemm": _gemm, "MatMul": _matmul, "Einsum": _einsum}
