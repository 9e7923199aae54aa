"""Clamps that cost nothing: fused into what produces their input, or implied by its integers."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.annotations import quant_of, stamp_origin
from exporters.tflite.dialect import DIALECT, required_input
from exporters.tflite.editor import Editor
from exporters.tflite.ops.activation import CLAMPS, is_implied
from exporters.tflite.ops.operands import ACTIVATION, FUSABLE_ACTIVATIONS

_HOSTS = frozenset(
    {
        "Conv2D",
        "DepthwiseConv2D",
        "FullyConnected",
        "Add",
        "Sub",
        "Mul",
        "Div",
        "MaxPool2D",
        "AveragePool2D",
    }
)


def fuse_activations(graph: ir.Graph) -> None:
    """Remove the clamps of *graph* that another operator does in passing."""
    for node in graph:
        if node.domain == DIALECT and node.op_type in CLAMPS:
            if _is_implied(node):
                Editor(node).replace(required_input(node, 0))
            elif _can_fuse(node):
                _fuse(node)


def _is_implied(node: ir.Node) -> bool:
    """Whether the integers of the input cannot represent anything outside the clamp."""
    params = quant_of(node.inputs[0])
    return params == quant_of(node.outputs[0]) and is_implied(params, *CLAMPS[node.op_type])


def _can_fuse(node: ir.Node) -> bool:
    source = required_input(node, 0)
    host = source.producer()
    return (
        node.op_type in FUSABLE_ACTIVATIONS
        and host is not None
        and host.op_type in _HOSTS
        and ACTIVATION not in host.attributes
        and len(source.uses()) == 1
        and not source.is_graph_output()
        and quant_of(source) == quant_of(node.outputs[0])
    )


def _fuse(node: ir.Node) -> None:
    source = required_input(node, 0)
    host = source.producer()
    if host is None:
        return
    host.attributes[ACTIVATION] = ir.AttrString(ACTIVATION, node.op_type)
    stamp_origin(host, host, node)
    out = node.outputs[0]
    name, out.name = out.name, f"{out.name}/fused"
    source.name = name
    out.replace_all_uses_with(source, replace_graph_outputs=True)
    if node.graph is not None:
        node.graph.remove(node, safe=True)
