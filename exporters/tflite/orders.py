"""The axis orders of TFLite's operators: spatial ones have channels last."""

from __future__ import annotations

import onnx_ir as ir

from compressor.layout.orders import Label, Shape
from compressor.layout.rules import Role, Rules
from exporters.tflite.dialect import DIALECT
from exporters.tflite.editor import Editor
from exporters.tflite.ops.fully_connected import permute_weight_rows
from exporters.tflite.ops.tables import lowerings


def _role(node: ir.Node) -> Role:
    """Return the role of *node*'s lowering; outside the dialect the source's order stays."""
    return lowerings()[node.op_type].role if node.domain == DIALECT else Role.SOURCE


def _reorder(node: ir.Node, order: Shape) -> None:
    lowerings()[node.op_type].reorder(node, order)


def _retarget(node: ir.Node, order: Shape) -> None:
    """Nothing to adapt: the dialect's Reshape takes its target from the shape of its output."""


RULES = Rules(
    domain=DIALECT,
    spatial=Label.LAST,
    role=_role,
    reorder=_reorder,
    retarget=_retarget,
    product="FullyConnected",
    permute_rows=permute_weight_rows,
    edit=Editor,
    passed_by_flatten=frozenset({"Relu", "Relu6", "ReluN1To1", "Relu0To1", "Convert"}),
)
