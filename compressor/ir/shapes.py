"""ONNX shape inference for graphs with edgec's own nodes."""

from __future__ import annotations

import onnx_ir as ir
from onnx_ir.passes.common import ShapeInferencePass

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import is_convert
from compressor.ir.probe import survives
from compressor.ir.symbols import name_dimensions

_STAND_IN = "Identity"


def infer_shapes(model: ir.Model) -> None:
    """Annotate the values of *model* with inferred shapes; ``Convert`` keeps that of its input.

    Raises:
        EdgecError: ``MODEL_UNREADABLE`` for a graph whose shapes cannot be.
    """
    converts = [node for node in model.graph if is_convert(node)]
    named = [(node, node.op_type, node.domain) for node in converts]
    for node in converts:
        node.op_type, node.domain = _STAND_IN, ""
    inference = ShapeInferencePass(check_type=True, strict_mode=False, data_prop=True)
    if may_abort({node.op_type for node in model.graph}) and not survives(lambda: inference(model)):
        raise _impossible("a slice", "its length is negative")
    inference(model)
    for node, op_type, domain in named:
        node.op_type, node.domain = op_type, domain
    name_dimensions(model)
    _check_lengths(model.graph)


def may_abort(op_types: set[str]) -> bool:
    """Whether inference could abort the process: in a Slice of what has shrunk below nothing."""
    return "Slice" in op_types and "Pad" in op_types


def _check_lengths(graph: ir.Graph) -> None:
    for node in graph:
        for value in node.outputs:
            if any(isinstance(dim, int) and dim < 0 for dim in value.shape or ()):
                raise _impossible(f"node '{node.name}' ({node.op_type})", f"it is {value.shape}")


def _impossible(where: str, why: str) -> EdgecError:
    return EdgecError(
        Code.MODEL_UNREADABLE,
        f"the graph asks for a tensor that cannot be: {why}",
        where=where,
        expected="lengths of zero and more",
        hint="check the pads and kernels in front of it",
    )
