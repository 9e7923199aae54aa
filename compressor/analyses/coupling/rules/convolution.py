"""Convolutions: input channels meet the weight, output channels are new."""

from __future__ import annotations

import onnx_ir as ir

from compressor.analyses.coupling.labels import Ids
from compressor.analyses.coupling.tracer import Tracer, length_of


def _conv(node: ir.Node, tracer: Tracer) -> None:
    _convolve(node, tracer, transposed=False)


def _conv_transpose(node: ir.Node, tracer: Tracer) -> None:
    _convolve(node, tracer, transposed=True)


def _convolve(node: ir.Node, tracer: Tracer, *, transposed: bool) -> None:
    """Weights are [outputs, inputs of a group, ...]; transposed, [inputs, outputs of a group, ...].

    A group goes with all its inputs and outputs; within groups, all lose the same inputs and the
    same outputs, so that they stay alike.
    """
    source, weight, result = node.inputs[0], node.inputs[1], node.outputs[0]
    inputs, outputs = _channels(node, transposed=transposed)
    if source is None or weight is None or weight.const_value is None or not inputs:
        for value in node.inputs:
            tracer.freeze(value, f"weights of '{node.name}' are not constant")
        return
    groups = node.attributes.get_int("group", 1)
    here: Ids | None
    if groups == 1:
        tracer.join([(source, 1), (weight, 0 if transposed else 1)], _held(node))
        out_axis = 1 if transposed else 0
        here = outgoing = tracer.produce(weight, out_axis)
    else:
        ids = tracer.axes(source)[1]
        sizes = (groups, inputs // groups)
        group, within = (None, None) if ids is None else tracer.labels.factor(ids, sizes)
        here = tracer.labels.fresh(outputs // groups) if outputs > groups else None
        outgoing = tracer.labels.merge((groups, outputs // groups), (group, here))
        tracer.give(weight, 0, ids if transposed else outgoing)
        tracer.give(weight, 1, here if transposed else within)
    if len(node.inputs) > 2:
        tracer.give(node.inputs[2], 0, outgoing)
    axes = tracer.axes(source)
    tracer.freeze(source, f"'{node.name}' moves along it", range(2, len(axes)))
    tracer.put(result, [axes[0], outgoing, *[None] * (len(axes) - 2)])


def _channels(node: ir.Node, *, transposed: bool) -> tuple[int, int]:
    """Return the numbers of input and output channels, zeros where they are not known."""
    first, second = length_of(node.inputs[1], 0), length_of(node.inputs[1], 1)
    if first is None or second is None:
        return 0, 0
    other = second * node.attributes.get_int("group", 1)
    return (first, other) if transposed else (other, first)


def _held(node: ir.Node) -> str:
    return f"it meets weights of '{node.name}' that cannot shrink"


RULES = {"Conv": _conv, "ConvTranspose": _conv_transpose}
