"""Remove what replaces NaN behind a softmax that cannot make one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.rewrite import constant_of, remove, replace_value
from compressor.passes.protocol import Changes, PassContext, Skipped

# Operators that hand an infinite element of an input on; others make finite numbers of finite ones.
_HAND_ON = frozenset(
    {"Add", "Sub", "Where", "Mul", "Div", "Expand", "Reshape", "Transpose", "Unsqueeze", "Squeeze"}
    | {"Concat", "Slice", "Gather", "Cast", "Identity", "Max", "Min", "Neg", "Flatten", "Split"}
)


@dataclass(frozen=True, kw_only=True)
class DropNanGuard:
    """Remove ``Where(IsNaN(p), 0, p)`` behind ``p = Softmax(x)`` where no row of x is all -inf.

    torch writes attention so for masks of -inf: a row in which everything is masked is NaN. Where
    no infinite constant and no input of the model reaches x, finite activations give no NaN.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Remove the guards of *model* that guard nothing."""
        dropped, skipped = 0, []
        for node in list(model.graph):
            softmax = _guarded(node)
            if softmax is None or softmax.outputs[0].is_graph_output():
                continue
            if _may_be_infinite(softmax.inputs[0], set()):
                skipped.append(Skipped(node=node.name or "", reason="a mask may be infinite"))
                continue
            replace_value(node.outputs[0], softmax.outputs[0])
            remove(node)
            dropped += 1
        return Changes(counts={"guards dropped": dropped}, skipped=tuple(skipped))


def _guarded(node: ir.Node) -> ir.Node | None:
    """Return the Softmax whose NaN the Where *node* replaces by zero."""
    if node.op_type != "Where" or len(node.inputs) != 3:
        return None
    condition, zero, value = node.inputs
    test = None if condition is None else condition.producer()
    softmax = None if value is None else value.producer()
    filler = constant_of(zero)
    guards = (
        test is not None
        and test.op_type == "IsNaN"
        and test.inputs[0] is value
        and filler is not None
        and not filler.any()
    )
    return softmax if guards and softmax is not None and softmax.op_type == "Softmax" else None


def _may_be_infinite(value: ir.Value | None, seen: set[ir.Value]) -> bool:
    """Whether an infinite constant, or an input of real numbers, may reach *value*."""
    if value is None or value in seen:
        return False
    seen.add(value)
    array = constant_of(value)
    if array is not None:
        return array.dtype.kind == "f" and not bool(np.isfinite(array).all())
    node = value.producer()
    if node is None:
        return value.dtype is None or value.dtype.is_floating_point()
    if node.op_type not in _HAND_ON:
        return False
    return any(_may_be_infinite(source, seen) for source in node.inputs)
