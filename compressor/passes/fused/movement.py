"""Data movement on the integers of a file, as the same movement of real numbers."""

from __future__ import annotations

import onnx_ir as ir

from compressor.passes.fused.parameters import signed_params

_MOVES_FIRST_INPUT = frozenset(
    {
        "DepthToSpace",
        "Expand",
        "Flatten",
        "Gather",
        "MaxPool",
        "Reshape",
        "Slice",
        "SpaceToDepth",
        "Squeeze",
        "Transpose",
        "Unsqueeze",
    }
)


def dequantize_before_movement(graph: ir.Graph) -> None:
    """Move DequantizeLinear nodes in front of the data movement that they follow.

    Moving integers and then saying what they mean is the same as the other way round. A maximum
    is, too: scales are positive.
    """
    for node in reversed(list(graph)):
        if node.op_type in _MOVES_FIRST_INPUT and len(node.outputs) == 1:
            _swap(graph, node)


def _swap(graph: ir.Graph, node: ir.Node) -> None:
    source, moved = node.inputs[0], node.outputs[0]
    readers = moved.consumers()
    if source is None or moved.is_graph_output() or not readers:
        return
    if any(reader.op_type != "DequantizeLinear" for reader in readers):
        return
    params = {signed_params(reader) for reader in readers}
    known = params.pop() if len(params) == 1 else None
    if known is None or known.axis is not None:
        return
    first, result = readers[0], readers[0].outputs[0]
    before = ir.node("DequantizeLinear", [source, *first.inputs[1:]], name=f"{node.name}_dq")
    real = before.outputs[0]
    real.name, real.shape, real.type = f"{moved.name}_real", source.shape, result.type
    graph.insert_before(node, before)
    node.replace_input_with(0, real)
    moved.type = result.type
    for reader in readers:
        out = reader.outputs[0]
        for index, output in enumerate(graph.outputs):
            if output is out:
                graph.outputs[index] = moved
                moved.name, out.name = out.name, f"{out.name}_moved"
        out.replace_all_uses_with(moved)
        graph.remove(reader, safe=True)
