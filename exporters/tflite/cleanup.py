"""Removing what computes nothing: movements that move nothing, chains of them, dead nodes."""

from __future__ import annotations

import onnx_ir as ir

from exporters.tflite.dialect import DIALECT, ints, required_input, set_ints, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.layout.orders import compose, moves_nothing

_MOVEMENTS = frozenset({"Reshape", "Transpose"})


def clean_up(graph: ir.Graph) -> None:
    """Simplify Reshapes and Transposes of *graph* and remove nodes that nothing reads."""
    remove_dead(graph)
    for node in graph:
        if node.domain == DIALECT and node.op_type in _MOVEMENTS:
            _simplify(node)
    remove_dead(graph)


def remove_dead(graph: ir.Graph) -> None:
    """Remove the nodes of *graph* whose results are neither read nor returned."""
    for node in reversed(graph):
        if not any(value.uses() or value.is_graph_output() for value in node.outputs):
            graph.remove(node, safe=True)


def _simplify(node: ir.Node) -> None:
    """Merge *node* with the movement before it, then drop it if nothing is left to do."""
    source, out = required_input(node, 0), node.outputs[0]
    producer = source.producer()
    if producer is not None and producer.op_type == node.op_type and producer.domain == DIALECT:
        if node.op_type == "Transpose":
            set_ints(node, "perm", list(compose(_perm(producer), _perm(node))))
        node.replace_input_with(0, required_input(producer, 0))
        source = required_input(node, 0)
    if node.op_type == "Transpose" and moves_nothing(_perm(node), shape_of(source)):
        node.op_type = "Reshape"
        node.attributes.clear()
        _simplify(node)
    elif node.op_type == "Reshape" and shape_of(source) == shape_of(out):
        Editor(node).replace(source)


def _perm(node: ir.Node) -> tuple[int, ...]:
    return tuple(ints(node, "perm"))
