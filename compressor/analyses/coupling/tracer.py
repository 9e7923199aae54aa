"""What the rules write to: the labels of every axis of every tensor seen so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import onnx_ir as ir

from compressor.analyses.coupling.factors import Size
from compressor.analyses.coupling.labels import Ids, Labels

Axes = list[Ids | None]
Place = tuple[ir.Value, int]


class Tracer:
    """Labels by value and axis. None stands for an axis of which nothing can be removed.

    A constant's axis without labels is open: it takes those of whatever it meets. A constant with
    several readers is never open: its readers may have nothing to do with each other.
    """

    def __init__(self) -> None:
        """Start with no value seen."""
        self.labels = Labels()
        self.table: dict[ir.Value, Axes] = {}
        self.aliases: dict[str, Size] = {}

    def sizes(self, value: ir.Value) -> list[Size]:
        """Return the lengths of *value*, of known rank, in terms of as few symbols as possible."""
        sizes = [Size.of(dim, f"{value.name}.{i}") for i, dim in enumerate(value.shape or ())]
        return [size.known_as(self.aliases) for size in sizes]

    def explain(self, value: ir.Value, sizes: Sequence[Size]) -> None:
        """State the lengths of *value*, whose symbols may say less."""
        for have, known in zip(self.sizes(value), sizes, strict=True):
            if have != known and have.number == 1 and len(have.symbols) == 1:
                self.aliases[have.symbols[0]] = known

    def axes(self, value: ir.Value | None) -> Axes:
        """Return the labels of each axis of *value*."""
        if value is None:
            return []
        if value not in self.table:
            self.table[value] = [None] * (0 if value.shape is None else len(value.shape))
        return self.table[value]

    def put(self, value: ir.Value, axes: Iterable[Ids | None]) -> None:
        """State the labels of each axis of *value*."""
        self.table[value] = list(axes)

    def is_open(self, value: ir.Value, axis: int) -> bool:
        """Whether *axis* of *value* belongs to a constant and carries no labels yet."""
        constant = value.const_value is not None and not value.is_graph_input()
        return constant and len(value.uses()) < 2 and self.axes(value)[axis] is None

    def give(self, value: ir.Value | None, axis: int, ids: Ids | None) -> None:
        """Let the constant *value* carry *ids* along *axis*; one that cannot freezes them."""
        if value is None or ids is None:
            return
        if self.is_open(value, axis):
            self.axes(value)[axis] = ids
            return
        have = self.axes(value)[axis]
        if have is None:
            self.labels.freeze(ids, f"'{value.name}' cannot shrink with it")
        else:
            self.labels.unite(have, ids)

    def produce(self, value: ir.Value, axis: int) -> Ids | None:
        """Return the labels of the constant *value* along *axis*, new ones where it has none."""
        length = length_of(value, axis)
        if self.is_open(value, axis) and length is not None and length > 1:
            self.axes(value)[axis] = self.labels.fresh(length)
        return self.axes(value)[axis]

    def join(self, places: Sequence[Place], reason: str) -> Ids | None:
        """Let the axes *places*, all of one length, lose the same channels; return their labels.

        Where one of them cannot shrink, none may: *reason* says why it is held.
        """
        ids: Ids | None = None
        held = False
        for value, axis in places:
            have = self.axes(value)[axis]
            if have is None:
                held = held or not self.is_open(value, axis)
            elif ids is None:
                ids = have
            elif ids is not have:
                self.labels.unite(ids, have)
        if ids is None:
            return None
        if held:
            self.labels.freeze(ids, reason)
        for value, axis in places:
            if self.axes(value)[axis] is None:
                self.axes(value)[axis] = ids
        return ids

    def freeze(
        self, value: ir.Value | None, reason: str, axes: Iterable[int] | None = None
    ) -> None:
        """Say that nothing may go along *axes* of *value*, all of them by default."""
        have = self.axes(value)
        for axis in range(len(have)) if axes is None else axes:
            ids = have[axis]
            if ids is not None:
                self.labels.freeze(ids, reason)


def length_of(value: ir.Value | None, axis: int) -> int | None:
    """Return the length of *axis* of *value*, None where it is not known."""
    if value is None or value.shape is None:
        return None
    dim = value.shape[axis]
    return dim if isinstance(dim, int) else None
