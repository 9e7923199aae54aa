"""Weight-only INT8: layers compute in float, their weights are stored as integers."""

from __future__ import annotations

from dataclasses import dataclass, field

import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, quant_of, set_precision, set_quant
from compressor.ir.op_facts import Role, facts_of
from compressor.ir.rewrite import constant_of
from compressor.passes.protocol import Changes, PassContext, Skipped
from compressor.quantizers.affine import weight_params

_RECURRENT_AXIS = 1  # gates times units, behind the direction
_ON_REQUEST = "kept in float on request"


@dataclass(frozen=True, kw_only=True)
class QuantizeWeights:
    """Give the constant weights of layers and the tables of embeddings one scale a channel.

    Symmetric int8, as in the TensorFlow Lite 8-bit specification; activations stay float, so no
    data is needed. What is integer already stays as it is.

    Attributes:
        keep_float: names of nodes that stay float.
    """

    keep_float: frozenset[str] = field(default_factory=frozenset)

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Annotate *model*."""
        annotated, skipped = 0, []
        for node in model.graph:
            weights = [] if precision_of(node) is not Precision.FLOAT else stored_weights(node)
            if weights and node.name in self.keep_float:
                set_precision(node, Precision.FLOAT, _ON_REQUEST)
                skipped.append(Skipped(node=node.name, reason=_ON_REQUEST))
            elif weights:
                for value, axis in weights:
                    _annotate(value, axis)
                set_precision(node, Precision.WEIGHT_ONLY)
                annotated += 1
        return Changes(counts={"nodes with integer weights": annotated}, skipped=tuple(skipped))


def stored_weights(node: ir.Node) -> list[tuple[ir.Value, int]]:
    """Return the constant float weights of *node*, each with the axis of its channels."""
    facts = facts_of(node)
    match facts.role:
        case Role.COMPUTE if facts.weight_axis is not None:
            places = {1: facts.weight_axis}
        case Role.LOOKUP if facts.weight_axis is not None:
            places = {0: facts.weight_axis}
        case Role.RECURRENT:
            places = {1: _RECURRENT_AXIS, 2: _RECURRENT_AXIS}
        case _:
            return []
    found = [(node.inputs[index], axis) for index, axis in places.items()]
    return [(v, axis) for v, axis in found if v is not None and _is_weight(v, axis)]


def _is_weight(value: ir.Value, axis: int) -> bool:
    """Whether *value* is a float constant with an *axis* of channels; a vector has none."""
    if value.const_value is None or value.is_graph_input() or quant_of(value) is not None:
        return False
    return value.dtype == ir.DataType.FLOAT and 1 < len(value.const_value.shape) > axis


def _annotate(value: ir.Value, axis: int) -> None:
    array = constant_of(value)
    if array is None:
        raise ValueError("the caller has checked that it is constant")
    set_quant(value, weight_params(array, axis))
