"""Make every constant an initializer, and no initializer an input."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir
from onnx_ir.passes.common import (
    LiftConstantsToInitializersPass,
    LiftSubgraphInitializersToMainGraphPass,
    RemoveInitializersFromInputsPass,
)

from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class LiftConstants:
    """Turn Constant nodes into initializers; initializers that are also inputs become constant."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Lift the constants of *model* and its subgraphs."""
        before = len(model.graph.initializers)
        RemoveInitializersFromInputsPass()(model)
        LiftSubgraphInitializersToMainGraphPass()(model)
        LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
        return Changes(counts={"constants lifted": len(model.graph.initializers) - before})
