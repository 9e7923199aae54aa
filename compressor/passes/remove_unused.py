"""Remove what no output depends on, and compute equal things once."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir
from onnx_ir.passes.common import CommonSubexpressionEliminationPass, RemoveUnusedNodesPass

from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class RemoveUnused:
    """Drop dead nodes and initializers; merge nodes with equal operator, inputs and attributes."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Clean *model*."""
        before = model.graph.num_nodes(), len(model.graph.initializers)
        CommonSubexpressionEliminationPass()(model)
        RemoveUnusedNodesPass()(model)
        after = model.graph.num_nodes(), len(model.graph.initializers)
        names = ("nodes removed", "constants removed")
        return Changes(counts={n: a - b for n, a, b in zip(names, before, after, strict=True)})
