"""Replace calls of model-local functions by their bodies."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir
from onnx_ir.passes.common import InlinePass, RemoveUnusedFunctionsPass

from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class InlineFunctions:
    """Inline every model-local function, so that later passes see one flat graph."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Inline and drop the functions of *model*."""
        count = len(model.functions)
        if count:
            InlinePass()(model)
            RemoveUnusedFunctionsPass()(model)  # type: ignore[no-untyped-call]
        return Changes(counts={"functions inlined": count})
