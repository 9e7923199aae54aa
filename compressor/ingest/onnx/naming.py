"""Names of inner values: unlike all around them, so that graphs can be merged into one another."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.rewrite import numbered


def name_apart(model: ir.Model) -> None:
    """Rename values of subgraphs that are called like a value of another graph of *model*."""
    taken = {value.name for value in _values(model.graph)}
    for graph in model.graph.subgraphs():
        for value in _values(graph):
            if value.name and value.name in taken:
                value.name = numbered(value.name or "value", taken)
            taken.add(value.name)


def _values(graph: ir.Graph) -> list[ir.Value]:
    made = [value for node in graph for value in node.outputs]
    return list(dict.fromkeys([*graph.inputs, *graph.initializers.values(), *made]))
