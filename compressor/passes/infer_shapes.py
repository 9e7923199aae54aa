"""Give every value its type and shape."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.shapes import infer_shapes
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class InferShapes:
    """Run ONNX shape inference with data propagation; what is known already stays."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Annotate the values of *model* with inferred shapes."""
        before = _known(model.graph)
        infer_shapes(model)
        return Changes(counts={"shapes inferred": _known(model.graph) - before})


def _known(graph: ir.Graph) -> int:
    return sum(value.shape is not None for node in graph for value in node.outputs)
