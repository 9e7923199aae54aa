"""A graph after some of the exporter's stages, for tests of a single one."""

import onnx_ir as ir

from exporters.tflite.legalize import legalize
from exporters.tflite.prepare import prepare


def legalized(model: ir.Model) -> ir.Graph:
    """Return a copy of *model* in the dialect, in the source's axis order."""
    graph = prepare(model).graph
    assert legalize(graph) == []
    return graph


def kinds(graph: ir.Graph) -> list[str]:
    """Return the operators of *graph* in order."""
    return [node.op_type for node in graph]
