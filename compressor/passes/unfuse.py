"""Write the operators that ONNX Runtime's optimiser and quantizer make as standard ones."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.passes.fused.floating import FLOATING
from compressor.passes.fused.quantized import MICROSOFT, QUANTIZED
from compressor.passes.opset.site import Site, Unconvertible, names_of
from compressor.passes.protocol import Changes, PassContext, Skipped

RULES = {**QUANTIZED, **FLOATING}


@dataclass(frozen=True, kw_only=True)
class Unfuse:
    """Replace fused operators, of ONNX Runtime's domain and integer ones of the standard."""

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Rewrite the fused operators of *model*.

        Raises:
            EdgecError: ``MODEL_UNSUPPORTED`` for a form that the standard cannot express.
        """
        taken, written, skipped = names_of(model), 0, []
        for node in list(model.graph.all_nodes()):
            fused = RULES.get((node.domain, node.op_type))
            if fused is None:
                continue
            try:
                fused.rule(Site(node, taken))
                written += 1
            except Unconvertible as reason:
                if node.domain == MICROSOFT:
                    raise _unsupported(node, str(reason)) from reason
                skipped.append(Skipped(node=node.name or "", reason=str(reason)))
        model.opset_imports.pop(MICROSOFT, None)
        return Changes(counts={"operators written out": written}, skipped=tuple(skipped))


def _unsupported(node: ir.Node, reason: str) -> EdgecError:
    return EdgecError(
        Code.MODEL_UNSUPPORTED,
        f"{node.op_type} of ONNX Runtime cannot be written in standard operators: {reason}",
        where=f"node '{node.name}'",
        expected="operators of the standard ONNX domain",
        hint="compile the model as it was before ONNX Runtime optimised it",
    )
