"""ONNX shape inference for graphs with edgec's own nodes."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from compressor.ir.annotations import is_convert

_STAND_IN = "Identity"


def infer_shapes(model: ir.Model) -> None:
    """Annotate the values of *model* with inferred shapes; ``Convert`` keeps that of its input."""
    converts = [node for node in model.graph if is_convert(node)]
    named = [(node, node.op_type, node.domain) for node in converts]
    for node in converts:
        node.op_type, node.domain = _STAND_IN, ""
    ShapeInferencePass(check_type=True, strict_mode=False, data_prop=True)(model)
    for node, op_type, domain in named:
        node.op_type, node.domain = op_type, domain
