"""Give each consumer its own copy of a shared weight or bias."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.annotations import quant_of, set_quant
from compressor.ir.rewrite import add_tensor
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class UnshareConstants:
    """Copy float constants that several uses share.

    Exporters merge equal constants (the zero biases of two layers, say). Sharing would couple
    layers that have nothing to do with each other when one is quantized or pruned. Equal tensors
    are written once again by the exporters, where they are still equal. Scalars stay shared.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Copy the shared constants of *model*."""
        copies = 0
        for value in list(model.graph.initializers.values()):
            if (
                value.const_value is None
                or value.dtype not in _FLOATS
                or value.const_value.size < 2
            ):
                continue
            for use in list(value.uses())[1:]:
                copy = add_tensor(model.graph, f"{value.name}_copy", value.const_value)
                set_quant(copy, quant_of(value))
                use.node.replace_input_with(use.idx, copy)
                copies += 1
        return Changes(counts={"constants copied": copies})


_FLOATS = frozenset(
    {ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.BFLOAT16, ir.DataType.DOUBLE}
)
