"""Which tensors of two models are the same one: by name, by node, and behind a folded clamp."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from compressor.exposure import Tensor

# What exporters and passes append when a tensor is stored otherwise.
_SUFFIX = re.compile(
    r"_(quantized|float|raw|restored|integers?|real|first|computed|converted)(_\d+)?$"
)
# Changes of representation and order: their results are tensors of the other model under a name.
_MOVES = frozenset({"Convert", "QuantizeLinear", "DequantizeLinear", "Transpose", "Reshape"})


def pairs(
    ours: Sequence[Tensor], theirs: Sequence[Tensor], known: set[str]
) -> Iterator[tuple[Tensor, str]]:
    """Yield each of *ours* with the name of the same tensor among *known* ones of the other model.

    *theirs* are the tensors of the other model's graph. In an integer model a Relu is folded into
    the scale of what it clamps: there the tensor before it holds what ours holds behind it.
    """
    plain = {_plain(name): name for name in sorted(known, key=len, reverse=True)}
    by_node = {t.node: t.name for t in theirs if t.node and t.name in known}
    named = {t.name: plain[_plain(t.name)] for t in ours if _plain(t.name) in plain}
    folded = {t.clamped: named[t.name] for t in ours if t.clamped and t.name in named}
    for tensor in ours:
        if tensor.clamped and tensor.clamped not in named:
            continue  # the other model has only the clamped one
        found = folded.get(tensor.name) if tensor.name not in named else named[tensor.name]
        if found is None and tensor.op_type not in _MOVES:
            found = by_node.get(tensor.node)
        if found is not None:
            yield tensor, found


def _plain(name: str) -> str:
    """Return *name* without what storing it otherwise has appended."""
    while (shorter := _SUFFIX.sub("", name)) != name:
        name = shorter
    return name
