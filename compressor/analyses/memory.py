"""Memory that activations take at run time: lifetimes, offsets in one arena, and its peak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import constant_of

_ALIGNMENT = 16  # bytes, as tflite-micro aligns buffers
_VIEWS = frozenset({"Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Dropout"})
_FUSED = frozenset({"Clip", "Relu"})
_HOSTS = frozenset({"Add", "Conv", "Gemm", "MatMul"})  # whose kernels end in an activation


@dataclass(frozen=True, kw_only=True)
class Buffer:
    """An activation in memory; views and fused activations share one.

    Attributes:
        name: of the last value that it holds; size: bytes, aligned.
        first, last: positions of the nodes that make it and read it last.
        offset: bytes from the start of the arena.
    """

    name: str
    size: int
    first: int
    last: int
    offset: int = 0

    def meets(self, other: Buffer) -> bool:
        """Whether both are alive at some node."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, kw_only=True)
class MemoryPlan:
    """All activations placed in one arena.

    Attributes:
        arena: bytes from its start to the end of the furthest buffer.
        buffers: placed, none overlapping another that is alive with it.
        decided_by: those alive at the node where the most bytes are, the largest first.
    """

    arena: int
    buffers: tuple[Buffer, ...]
    decided_by: tuple[Buffer, ...]


def plan_memory(graph: ir.Graph) -> MemoryPlan:
    """Place the activations of one inference at batch 1 in as small an arena as greedy finds.

    Buffers are placed from the largest down, each at the lowest gap that is free during its life
    (Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
    """
    placed: list[Buffer] = []
    for buffer in sorted(lifetimes(graph), key=lambda b: (-b.size, b.first)):
        placed.append(_place(buffer, placed))
    return MemoryPlan(
        arena=max((b.offset + b.size for b in placed), default=0),
        buffers=tuple(placed),
        decided_by=_fullest(placed),
    )


def lifetimes(graph: ir.Graph) -> list[Buffer]:
    """Return the unplaced buffers of *graph*; inputs live from the start, outputs to the end."""
    nodes = list(graph)
    holder = _holders(graph)
    first: dict[ir.Value, int] = dict.fromkeys((holder(v) for v in graph.inputs), 0)
    last: dict[ir.Value, int] = dict.fromkeys(first, 0)
    for place, node in enumerate(nodes):
        for value in (v for v in node.inputs if v is not None and holder(v) in first):
            last[holder(value)] = place
        for value in (v for v in node.outputs if constant_of(v) is None):
            first.setdefault(holder(value), place)
            last[holder(value)] = place
    for value in graph.outputs:
        last[holder(value)] = len(nodes)
    return [
        Buffer(name=value.name or "", size=_aligned(value), first=first[value], last=last[value])
        for value in first
    ]


class _Holders(dict[ir.Value, ir.Value]):
    """From a value to the one whose buffer it shares; to itself by default."""

    def __call__(self, value: ir.Value) -> ir.Value:
        while value in self:
            value = self[value]
        return value


def _holders(graph: ir.Graph) -> _Holders:
    found = _Holders()
    for node in graph:
        if node.inputs and node.inputs[0] is not None and _shares(node, node.inputs[0]):
            found[node.outputs[0]] = node.inputs[0]
    return found


def _shares(node: ir.Node, source: ir.Value) -> bool:
    """Whether the output of *node* is its input's memory under another name or after clamping."""
    if constant_of(source) is not None:
        return False
    if node.op_type in _VIEWS:
        return True
    if node.op_type == "Transpose":  # the interface's layout: the file has none
        return source.is_graph_input() or node.outputs[0].is_graph_output()
    producer = source.producer()
    fused = node.op_type in _FUSED and producer is not None and producer.op_type in _HOSTS
    return fused and len(source.uses()) == 1


def _aligned(value: ir.Value) -> int:
    params = quant_of(value)
    if params is not None:
        each = float(params.dtype.numpy.itemsize)
    else:
        each = value.dtype.itemsize if value.dtype is not None else 4
    shape = value.shape or ()
    count = prod(dim if isinstance(dim, int) else 1 for dim in shape) * each
    return -(-int(count) // _ALIGNMENT) * _ALIGNMENT


def _place(buffer: Buffer, placed: Sequence[Buffer]) -> Buffer:
    """Return *buffer* at the lowest offset where nothing that lives with it lies."""
    offset = 0
    for other in sorted((b for b in placed if b.meets(buffer)), key=lambda b: b.offset):
        if other.offset - offset >= buffer.size:
            break
        offset = max(offset, other.offset + other.size)
    return Buffer(
        name=buffer.name,
        size=buffer.size,
        first=buffer.first,
        last=buffer.last,
        offset=offset,
    )


def _fullest(buffers: Sequence[Buffer]) -> tuple[Buffer, ...]:
    """Return the buffers alive at the node where their sum is largest."""
    at = {b.first for b in buffers}
    alive = ([b for b in buffers if b.first <= place <= b.last] for place in sorted(at))
    fullest = max(alive, key=lambda found: sum(b.size for b in found), default=[])
    return tuple(sorted(fullest, key=lambda b: -b.size))
