"""Dynamic INT8: matrix products of integers whose activation scales are found at run time."""

from __future__ import annotations

from dataclasses import dataclass, field

import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, set_precision
from compressor.passes.protocol import Changes, PassContext
from compressor.passes.quantize_weights import QuantizeWeights

_REASON = "its activations are quantized when it runs"


@dataclass(frozen=True, kw_only=True)
class QuantizeDynamic:
    """Quantize all weights, and let matrix products quantize their activations as they run.

    Convolutions compute in float from their integer weights: no runtime has a dynamic kernel for
    them that is faster. No data is needed.

    Attributes:
        keep_float: names of nodes that stay float.
    """

    keep_float: frozenset[str] = field(default_factory=frozenset)

    def run(self, model: ir.Model, context: PassContext) -> Changes:
        """Annotate *model*."""
        stored = QuantizeWeights(keep_float=self.keep_float)
        before = {n for n in model.graph if precision_of(n) is not Precision.FLOAT}
        changes = stored.run(model, context)
        products = [n for n in model.graph if n not in before and _is_product(n)]
        for node in products:
            set_precision(node, Precision.DYNAMIC, _REASON)
        only_stored = changes.counts["nodes with integer weights"] - len(products)
        counts = {"products dynamic": len(products), "nodes with integer weights": only_stored}
        return Changes(counts=counts, skipped=changes.skipped)


def _is_product(node: ir.Node) -> bool:
    is_stored = precision_of(node) is Precision.WEIGHT_ONLY
    return is_stored and node.op_type in ("Gemm", "MatMul")
