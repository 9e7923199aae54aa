"""Layers whose attributes count channels."""

from __future__ import annotations

import onnx_ir as ir

from compressor.passes.removal._kept import Kept


def _conv(node: ir.Node, kept: Kept) -> None:
    if node.attributes.get_int("group", 1) > 1:
        whole = kept.length(node.inputs[0], 1)
        node.attributes.add(ir.AttrInt64("group", whole // kept.length(node.inputs[1], 1)))


def _conv_transpose(node: ir.Node, kept: Kept) -> None:
    if node.attributes.get_int("group", 1) > 1:
        whole = kept.length(node.outputs[0], 1)
        node.attributes.add(ir.AttrInt64("group", whole // kept.length(node.inputs[1], 1)))


def _group_normalization(node: ir.Node, kept: Kept) -> None:
    mask = kept.along(node.inputs[0], 1)
    if mask is not None:
        groups = node.attributes.get_int("num_groups", 1)
        node.attributes.add(ir.AttrInt64("num_groups", groups * int(mask.sum()) // len(mask)))


def _recurrent(node: ir.Node, kept: Kept) -> None:
    node.attributes.add(ir.AttrInt64("hidden_size", kept.length(node.inputs[2], 2)))


RULES = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "GroupNormalization": _group_normalization,
    "GRU": _recurrent,
    "LSTM": _recurrent,
    "RNN": _recurrent,
}
