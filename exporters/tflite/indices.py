"""Index arithmetic that is not needed: counting from the end what is never below zero."""

from __future__ import annotations

import onnx_ir as ir

from exporters.tflite.bounds import integer_bounds
from exporters.tflite.dialect import DIALECT, constant_of, required_input
from exporters.tflite.editor import Editor


def drop_wrapping(graph: ir.Graph) -> None:
    """Remove the remainders of *graph* that change no number."""
    bounds = integer_bounds(graph)
    for node in graph:
        if node.domain != DIALECT or node.op_type != "FloorMod":
            continue
        source, divisor = required_input(node, 0), constant_of(node.inputs[1])
        known = bounds.get(source)
        if divisor is None or divisor.size != 1 or known is None:
            continue
        if known[0] >= 0 and known[1] < int(divisor.item()):
            Editor(node).replace(source)
