"""Images at the interface with their channels last, as cameras and mobile code have them."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.annotations import Precision, quant_of, set_precision, set_quant
from compressor.ir.interface import Layout, interface_of
from compressor.ir.rewrite import free_name
from compressor.passes.protocol import Changes, PassContext

_TO_LAST, _TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)


@dataclass(frozen=True, kw_only=True)
class SetIoLayout:
    """Put a Transpose behind every NCHW image input and before every NCHW image output.

    Formats that compute channels last drop them again; in others they are the price of the order.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Make the images of *model*'s interface NHWC."""
        graph, interface = model.graph, interface_of(model)
        inputs = [
            value
            for value, spec in zip(graph.inputs, interface.inputs, strict=True)
            if spec.layout is Layout.NCHW
        ]
        outputs = [
            index for index, spec in enumerate(interface.outputs) if spec.layout is Layout.NCHW
        ]
        for value in inputs:
            _feed_last(graph, value)
        for index in outputs:
            _deliver_last(graph, index)
        return Changes(counts={"inputs": len(inputs), "outputs": len(outputs)})


def _feed_last(graph: ir.Graph, value: ir.Value) -> None:
    uses = [(use.node, use.idx) for use in value.uses()]
    shape = value.shape
    value.shape = _permuted(shape, _TO_LAST)
    first = _transposed(value, _TO_FIRST, shape, free_name(graph, f"{value.name}_first"))
    graph.insert_before(graph[0], first)
    for node, index in uses:
        node.replace_input_with(index, first.outputs[0])


def _deliver_last(graph: ir.Graph, index: int) -> None:
    value = graph.outputs[index]
    name = value.name or ""
    value.name = free_name(graph, f"{name}_first")
    last = _transposed(value, _TO_LAST, _permuted(value.shape, _TO_LAST), name)
    graph.append(last)
    graph.outputs[index] = last.outputs[0]


def _transposed(
    value: ir.Value, perm: tuple[int, ...], shape: ir.Shape | None, name: str
) -> ir.Node:
    """Return a Transpose of *value*, of the same representation, that is in no graph yet."""
    node = ir.node("Transpose", [value], {"perm": list(perm)}, name=f"transpose_{name}")
    result = node.outputs[0]
    result.name, result.shape, result.type = name, shape, value.type
    set_quant(result, quant_of(value))
    if quant_of(value) is not None:
        set_precision(node, Precision.INTEGER)
    return node


def _permuted(shape: ir.Shape | None, perm: tuple[int, ...]) -> ir.Shape | None:
    return None if shape is None else ir.Shape([shape[axis] for axis in perm])
