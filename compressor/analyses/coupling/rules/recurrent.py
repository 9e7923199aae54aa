"""Recurrent layers: hidden units, with every gate and in every direction alike."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.analyses.coupling.labels import Ids
from compressor.analyses.coupling.targets import can_edit
from compressor.analyses.coupling.tracer import Tracer

_GATES = {"GRU": 3, "LSTM": 4, "RNN": 1}


def _recurrent(node: ir.Node, tracer: Tracer) -> None:
    """Label W [d, gates*H, I], R [d, gates*H, H], B [d, 2*gates*H], the states and the outputs."""
    gates, hidden = _GATES[node.op_type], node.attributes.get_int("hidden_size", 0)
    source, weight, recurrence = node.inputs[:3]
    constant = weight is not None and weight.const_value is not None
    if source is None or recurrence is None or not constant or node.attributes.get_int("layout"):
        for value in node.inputs:
            tracer.freeze(value, f"'{node.name}' has a form that is not followed")
        return
    if weight is not None:
        tracer.join([(source, 2), (weight, 2)], f"it meets weights of '{node.name}' that stay")
    tracer.freeze(source, f"'{node.name}' steps along it", [0, 1])
    ids = tracer.labels.fresh(hidden)
    tracer.give(weight, 1, np.tile(ids, gates))
    tracer.give(recurrence, 1, np.tile(ids, gates))
    tracer.give(recurrence, 2, ids)
    inputs = [*node.inputs, *[None] * 8]
    if inputs[3] is not None:
        tracer.give(inputs[3], 1, np.tile(ids, 2 * gates))
    for state in inputs[5:7]:
        if state is not None:
            tracer.give(state, 2, ids)
    if inputs[7] is not None:
        tracer.give(inputs[7], 1, np.tile(ids, 3))
    _label_outputs(node, ids, tracer)


def _label_outputs(node: ir.Node, ids: Ids, tracer: Tracer) -> None:
    for index, value in enumerate(node.outputs):
        tracer.put(value, [None, None, None, ids] if index == 0 else [None, None, ids])


def _constant_of_shape(node: ir.Node, tracer: Tracer) -> None:
    """A tensor of one value, such as a first state, can have any length that is written down."""
    result = node.outputs[0]
    axes: list[Ids | None] = []
    for axis, dim in enumerate(result.shape or ()):
        editable = isinstance(dim, int) and dim > 1 and can_edit(node.inputs[0], axis)
        axes.append(tracer.labels.fresh(dim) if editable and isinstance(dim, int) else None)
    tracer.put(result, axes)


RULES = {"ConstantOfShape": _constant_of_shape} | dict.fromkeys(_GATES, _recurrent)
