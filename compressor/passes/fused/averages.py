"""Averages around the stored zero, as ``exporters`` write them, around the real one again."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.rewrite import constant_of
from compressor.passes.fused.parameters import signed_params

_AWAY = 2.0**-19  # twice of what the exporter takes off a scale


def restore_averages(graph: ir.Graph) -> None:
    """Let average pools between integers use the parameters that the other readers use.

    The integers are the same but for halves, which the exporters to ONNX and to TensorFlow Lite
    round alike.
    """
    for node in graph:
        if node.op_type == "AveragePool":
            _restore(node)


def _restore(node: ir.Node) -> None:
    source, readers = node.inputs[0], node.outputs[0].consumers()
    before = None if source is None or len(source.uses()) != 1 else source.producer()
    if before is None or before.op_type != "DequantizeLinear" or len(readers) != 1:
        return
    after = readers[0]
    if after.op_type != "QuantizeLinear" or not _differ_by_a_nudge(before, after):
        return
    users = after.outputs[0].consumers()
    meanings = {signed_params(user) for user in users if user.op_type == "DequantizeLinear"}
    own, stored = meanings.pop() if len(meanings) == 1 else None, signed_params(before)
    if own is None or stored is None or own.scale != stored.scale:
        return
    for place in (before, after):
        for index in (1, 2):
            place.replace_input_with(index, users[0].inputs[index])


def _differ_by_a_nudge(before: ir.Node, after: ir.Node) -> bool:
    """Whether both have one zero point, and scales that differ by next to nothing."""
    scales = constant_of(before.inputs[1]), constant_of(after.inputs[1])
    points = signed_params(before), signed_params(after)
    if scales[0] is None or scales[1] is None or points[0] is None or points[1] is None:
        return False
    if scales[0].size != 1 or scales[1].size != 1 or points[0].zero_point != points[1].zero_point:
        return False
    share = 1 - float(scales[1].reshape(())) / float(scales[0].reshape(()))
    return 0 < share < _AWAY
