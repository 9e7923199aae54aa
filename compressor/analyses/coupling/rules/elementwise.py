"""Elementwise operators: what is combined goes together, what is broadcast does not count."""

from __future__ import annotations

from collections.abc import Sequence

import onnx_ir as ir

from compressor.analyses.coupling.labels import Ids
from compressor.analyses.coupling.tracer import Place, Tracer


def broadcast(tracer: Tracer, node: ir.Node, places: Sequence[Place]) -> Ids | None:
    """Return the labels of an output axis that the axes *places* are broadcast to.

    An operand of length 1 beside longer ones stays as it is.
    """
    sizes = [None if value.shape is None else value.shape[axis] for value, axis in places]
    alike = [place for place, size in zip(places, sizes, strict=True) if size != 1]
    return tracer.join(alike or places, f"'{node.name}' combines it with what cannot shrink")


def _combine(node: ir.Node, tracer: Tracer) -> None:
    values = [value for value in node.inputs if value is not None]
    ranks = [len(tracer.axes(value)) for value in values]
    axes = []
    for back in range(max(ranks, default=0), 0, -1):
        places = [(v, rank - back) for v, rank in zip(values, ranks, strict=True) if rank >= back]
        axes.append(broadcast(tracer, node, places))
    for result in node.outputs:
        tracer.put(result, axes)


def _pass(node: ir.Node, tracer: Tracer) -> None:
    """One tensor, changed element by element; other inputs are settings."""
    tracer.put(node.outputs[0], tracer.axes(node.inputs[0]))


_UNARY = (
    "Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Clip Cos Cosh Dropout Elu Erf "
    "Exp Floor Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not "
    "Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh "
    "ThresholdedRelu"
)
_SEVERAL = (
    "Add And BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max "
    "Mean Min Mod Mul Or PRelu Pow Sub Sum Where Xor"
)

RULES = dict.fromkeys(_UNARY.split(), _pass) | dict.fromkeys(_SEVERAL.split(), _combine)
