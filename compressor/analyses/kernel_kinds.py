"""Which integer nodes of a graph run in the same kind of kernel."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from compressor.analyses.cost import macs_of
from compressor.ir.annotations import Precision, precision_of
from compressor.ir.op_facts import Role, facts_of
from compressor.ir.rewrite import constant_of

_FREE = frozenset({Role.CLAMP, Role.MOVEMENT, Role.JOIN})


def kernel_kinds(graph: ir.Graph) -> Mapping[str, tuple[str, ...]]:
    """Return the names of the integer nodes that compute, by kind, the costliest kinds first.

    A kind is an operator; convolutions count apart by extent and by whether they are depthwise.
    """
    kinds: dict[str, list[str]] = {}
    work: dict[str, int] = {}
    for node in graph:
        if precision_of(node) is Precision.INTEGER and facts_of(node).role not in _FREE:
            kind = _kind(node)
            kinds.setdefault(kind, []).append(node.name or "")
            work[kind] = work.get(kind, 0) + macs_of(node)
    return {kind: tuple(kinds[kind]) for kind in sorted(kinds, key=lambda k: (-work[k], k))}


def _kind(node: ir.Node) -> str:
    weight = constant_of(node.inputs[1]) if node.op_type == "Conv" else None
    if weight is None:
        return node.op_type
    extent = "x".join(map(str, weight.shape[2:]))
    groups = node.attributes.get_int("group", 1)
    word = "depthwise " if groups == weight.shape[0] and groups > 1 else "grouped " * (groups > 1)
    return f"{word}Conv {extent}"
