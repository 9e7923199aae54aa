"""Give shape-only nodes constant targets, so that the arithmetic that made them can go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.rewrite import add_constant, constant_of, replace_node
from compressor.passes.protocol import Changes, PassContext

_RESHAPES = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze"})


@dataclass(frozen=True, kw_only=True)
class SimplifyReshape:
    """Write Reshape, Flatten, Squeeze and Unsqueeze as Reshape to a constant target.

    The one dimension that is not known becomes -1. A chain of reshapes is its last one.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Rewrite the reshapes of *model* whose output has at most one unknown dimension."""
        rewritten, merged = 0, 0
        for node in [n for n in model.graph if n.op_type in _RESHAPES]:
            target = _target(node)
            if target is not None and not _is_plain(node, target):
                _rewrite(node, target)
                rewritten += 1
        for node in [n for n in model.graph if n.op_type == "Reshape"]:
            merged += _skip_inner(node)
        return Changes(counts={"targets made constant": rewritten, "chains merged": merged})


def _target(node: ir.Node) -> list[int] | None:
    shape = node.outputs[0].shape
    if shape is None:
        return None
    dims = [dim if isinstance(dim, int) else -1 for dim in shape]
    return dims if dims.count(-1) <= 1 and 0 not in dims else None


def _is_plain(node: ir.Node, target: list[int]) -> bool:
    if node.op_type != "Reshape":
        return False
    have = constant_of(node.inputs[1])
    return have is not None and have.tolist() == target


def _rewrite(node: ir.Node, target: list[int]) -> None:
    if node.graph is None:
        return
    name = f"{node.outputs[0].name}_shape"
    shape = add_constant(node.graph, name, np.asarray(target, np.int64))
    replace_node(node, [ir.node("Reshape", [node.inputs[0], shape], name=node.name)])


def _skip_inner(node: ir.Node) -> int:
    """Let a reshape with a constant target read what its own producer, a reshape, reads."""
    source = node.inputs[0]
    inner = None if source is None else source.producer()
    target = constant_of(node.inputs[1])
    if inner is None or inner.op_type != "Reshape" or target is None or 0 in target.tolist():
        return 0
    node.replace_input_with(0, inner.inputs[0])
    return 1
