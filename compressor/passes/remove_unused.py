"""Remove what no output depends on, and compute equal things once."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir
from onnx_ir.passes.common import CommonSubexpressionEliminationPass, RemoveUnusedNodesPass

from compressor.ir.annotations import quant_of
from compressor.passes.protocol import Changes, PassContext

_MARK = "edgec.apart"


@dataclass(frozen=True, kw_only=True)
class RemoveUnused:
    """Drop dead nodes, outputs and constants; merge nodes of equal operator, inputs, attributes."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Clean *model*."""
        before = _sizes(model.graph)
        _merge_equal_nodes(model)
        RemoveUnusedNodesPass()(model)
        after = _sizes(model.graph)
        return Changes(counts={f"{what} removed": before[what] - after[what] for what in before})


def _merge_equal_nodes(model: ir.Model) -> None:
    """Merge equal nodes, but no integer ones: what they do is also in their annotations.

    Two conversions of one value to two scales look alike. A mark keeps each apart.
    """
    integer = [n for n in model.graph if any(quant_of(v) for v in (*n.inputs, *n.outputs))]
    for index, node in enumerate(integer):
        node.attributes[_MARK] = ir.AttrInt64(_MARK, index)
    CommonSubexpressionEliminationPass()(model)
    for node in integer:
        node.attributes.pop(_MARK)


def _sizes(graph: ir.Graph) -> dict[str, int]:
    outputs = sum(bool(value.name) for node in graph for value in node.outputs)
    nodes, constants = graph.num_nodes(), len(graph.initializers)
    return {"nodes": nodes, "outputs": outputs - nodes, "constants": constants}
