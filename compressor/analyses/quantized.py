"""Whether a graph carries integers already."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.annotations import quant_of


def is_quantized(model: ir.Model) -> bool:
    """Whether any tensor of *model* is represented as integers: its parameters are settled."""
    graph = model.graph
    values = (*graph.inputs, *graph.initializers.values(), *(v for n in graph for v in n.outputs))
    return any(quant_of(value) is not None for value in values)
