"""From ONNX to the dialect: every node is rewritten by its family until none is left."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.annotations import origin_of
from exporters.protocol import Refusal
from exporters.tflite.cleanup import remove_dead
from exporters.tflite.dialect import DIALECT, ONNX_DOMAINS, Unsupported
from exporters.tflite.movements import straighten_movements
from exporters.tflite.ops.tables import legalizations
from exporters.tflite.patterns import name_patterns


def legalize(graph: ir.Graph) -> list[Refusal]:
    """Rewrite *graph* into the dialect; return why the nodes that are left cannot be."""
    straighten_movements(graph)
    name_patterns(graph)
    remove_dead(graph)
    refused: dict[ir.Node, Refusal] = {}
    while pending := [n for n in graph if n.domain != DIALECT and n not in refused]:
        for node in pending:
            reason = _legalize_node(node)
            if reason is not None:
                refused[node] = refusal(node, reason)
    return list(refused.values())


def refusal(node: ir.Node, reason: str) -> Refusal:
    """Return the refusal of *node*, under the name that it has in the source."""
    name = next(iter(origin_of(node)), node.outputs[0].name or "")
    return Refusal(node=name, op_type=node.op_type, reason=reason)


def _legalize_node(node: ir.Node) -> str | None:
    rule = legalizations().get(node.op_type)
    if rule is None or node.domain not in ONNX_DOMAINS:
        return "TFLite has no such operator, and no composition for it is known"
    try:
        rule(node)
    except Unsupported as reason:
        return str(reason)
    return None
