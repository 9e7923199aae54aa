"""From a canonical model to a private copy with batch 1 and every shape known."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from compressor.ir.annotations import is_convert

_STAND_IN = "Identity"


def prepare(model: ir.Model) -> ir.Model:
    """Return a copy of *model* whose symbolic dimensions are 1; constants are shared with it."""
    copy = model.clone()
    for value in copy.graph.inputs:
        if value.shape is not None:
            value.shape = ir.Shape(dim if isinstance(dim, int) else 1 for dim in value.shape)
    _infer_shapes(copy)
    return copy


def _infer_shapes(model: ir.Model) -> None:
    """Derive the shapes of all values anew; ``Convert`` keeps the shape of its input."""
    for node in model.graph:
        for value in node.outputs:
            if value.shape is not None and not value.shape.is_static():
                value.shape = None
    converts = [node for node in model.graph if is_convert(node)]
    named = [(node, node.op_type, node.domain) for node in converts]
    for node in converts:
        node.op_type, node.domain = _STAND_IN, ""
    ShapeInferencePass(check_type=False, strict_mode=False, data_prop=True)(model)
    for node, op_type, domain in named:
        node.op_type, node.domain = op_type, domain
