"""Move constant zero padding into the convolution that reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import stamp_origin
from compressor.ir.rewrite import Array, attribute_ints, constant_of, remove
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class FoldPad:
    """Add the pads of a zero-valued Pad to those of the Conv nodes behind it.

    Not into pools: a pool leaves its own padding out of the window, a Pad node does not.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Fold the foldable Pad nodes of *model*."""
        folded = 0
        pads_backwards = [node for node in reversed(model.graph) if node.op_type == "Pad"]
        for node in pads_backwards:  # so that all of a chain fold
            pads = _spatial_pads(node)
            consumers = node.outputs[0].consumers()
            if pads is None or node.outputs[0].is_graph_output() or not consumers:
                continue
            if all(_takes_pads(consumer, node.outputs[0]) for consumer in consumers):
                for consumer in consumers:
                    _add_pads(consumer, node, pads)
                remove(node)
                folded += 1
        return Changes(counts={"pads folded": folded})


def _spatial_pads(node: ir.Node) -> list[int] | None:
    """Return ONNX-ordered spatial pads, or None when the padding is not plain zeros."""
    filler = node.inputs[2] if len(node.inputs) > 2 else None
    value = np.zeros(()) if filler is None else constant_of(filler)
    if node.attributes.get_string("mode", "constant") != "constant" or value is None or value.any():
        return None
    pads = _pads_of_all_axes(node)
    if pads is None or pads.shape[1] < 3 or pads[:, :2].any() or pads.min() < 0:
        return None
    spatial: list[int] = pads[:, 2:].ravel().tolist()
    return spatial


def _pads_of_all_axes(node: ir.Node) -> Array | None:
    """Return begins and ends, shape [2, rank], or None when they are not known."""
    pads, source = constant_of(node.inputs[1]), node.inputs[0]
    listed = node.inputs[3] if len(node.inputs) > 3 else None
    if pads is None or listed is None:
        return None if pads is None else pads.reshape(2, -1)
    axes = constant_of(listed)
    if axes is None or source is None or source.shape is None:
        return None
    full = np.zeros((2, len(source.shape)), np.int64)
    full[:, axes] = pads.reshape(2, -1)
    return full


def _takes_pads(consumer: ir.Node, value: ir.Value) -> bool:
    return (
        consumer.op_type == "Conv"
        and consumer.inputs[0] is value
        and consumer.attributes.get_string("auto_pad", "NOTSET") in ("NOTSET", "VALID")
    )


def _add_pads(consumer: ir.Node, pad: ir.Node, pads: list[int]) -> None:
    own = attribute_ints(consumer, "pads", [0] * len(pads))
    total = [a + b for a, b in zip(own, pads, strict=True)]
    consumer.attributes["auto_pad"] = ir.AttrString("auto_pad", "NOTSET")
    consumer.attributes["pads"] = ir.AttrInt64s("pads", total)
    consumer.replace_input_with(0, pad.inputs[0])
    stamp_origin(consumer, pad, consumer)
