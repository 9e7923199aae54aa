"""Labels of channels: union-find over arrays, with labels that are pairs of others."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]

_NONE = -1
_DEEPEST = 12


class Labels:
    """Labels by number. A label is an atom, or the pair of two labels.

    An index of an axis that carries a pair goes as soon as either of its halves goes: the axis of
    64 that is 4 heads of 16 carries pairs of a head and a place within the head. Uniting two pairs
    unites their halves in turn, uniting an atom with a pair makes the atom that pair: whatever is
    united, channels that must go together do. All operations take whole arrays.
    """

    def __init__(self) -> None:
        """Start without labels."""
        self._count = 0
        self._parent: Ids = np.zeros(0, np.int64)
        self._halves: Ids = np.zeros((0, 2), np.int64)
        self._frozen: list[tuple[Ids, str]] = []

    def __len__(self) -> int:
        return self._count

    def fresh(self, count: int) -> Ids:
        """Return *count* new atoms."""
        start, self._count = self._count, self._count + count
        if self._count > len(self._parent):
            room = max(self._count, 2 * len(self._parent), 1024)
            old = len(self._parent)
            self._parent = np.concatenate([self._parent, np.arange(old, room)])
            empty = np.full((room - old, 2), _NONE, np.int64)
            self._halves = np.concatenate([self._halves, empty])
        return np.arange(start, self._count)

    def pairs(self, first: Ids, second: Ids) -> Ids:
        """Return a new label for each pair of elements of two arrays of one length."""
        ids = self.fresh(len(first))
        self._halves[ids, 0], self._halves[ids, 1] = first, second
        return ids

    def find(self, ids: Ids) -> Ids:
        """Return the representatives of *ids*."""
        roots = self._parent[ids]
        while True:
            above = self._parent[roots]
            if np.array_equal(above, roots):
                break
            roots = above
        self._parent[ids] = roots
        return roots

    def unite(self, first: Ids, second: Ids) -> None:
        """Let each element of *first* go together with the one of *second* at its place."""
        waiting = [(first, second)]
        while waiting:
            a, b = waiting.pop()
            a, b = self.find(a), self.find(b)
            apart = a != b
            if not apart.any():
                continue
            a, b = a[apart], b[apart]
            composed_a, composed_b = self._halves[a, 0] >= 0, self._halves[b, 0] >= 0
            both = composed_a & composed_b
            swap = np.where(composed_a == composed_b, b < a, composed_b)
            a, b = np.where(swap, b, a), np.where(swap, a, b)
            self._parent[b] = a  # where b stands twice, one link is made and the rest waits
            waiting.append((a, b))
            if both.any():
                one, two = self._halves[a[both]], self._halves[b[both]]
                waiting += [(one[:, 0], two[:, 0]), (one[:, 1], two[:, 1])]

    def freeze(self, ids: Ids, reason: str) -> None:
        """Say that none of *ids* may go."""
        self._frozen.append((ids, reason))

    def frozen(self) -> dict[int, str]:
        """Return the reason by atom, for each atom that may not go; the first reason counts."""
        reasons: dict[int, str] = {}
        for ids, reason in self._frozen:
            atoms, complete = self.atoms(np.unique(self.find(ids)))
            for atom in np.unique(atoms[atoms >= 0]).tolist():
                reasons.setdefault(atom, reason if complete else "it is a part of itself")
        return reasons

    def atoms(self, ids: Ids) -> tuple[Ids, bool]:
        """Return the atoms that each label consists of, shape [len(ids), most], filled with -1.

        The second value is False where a label contains itself: what must go together then cannot
        be told, and the atoms are those found until that showed.
        """
        columns, complete = self._columns(ids, _DEEPEST)
        return np.stack(columns, axis=1), complete

    def _columns(self, ids: Ids, depth: int) -> tuple[list[Ids], bool]:
        found = ids >= 0
        roots = np.where(found, self.find(np.where(found, ids, 0)), _NONE) if len(ids) else ids
        composed = found & (self._halves[np.where(found, roots, 0), 0] >= 0)
        if not composed.any():
            return [roots], True
        if depth == 0:
            return [np.where(composed, _NONE, roots)], False
        halves = np.where(composed[:, None], self._halves[np.where(found, roots, 0)], _NONE)
        halves[~composed, 0] = roots[~composed]
        first, complete = self._columns(halves[:, 0], depth - 1)
        second, also = self._columns(halves[:, 1], depth - 1)
        return first + second, complete and also

    def factor(self, ids: Ids, sizes: Sequence[int]) -> list[Ids | None]:
        """Return the labels along each of the axes of *sizes* that *ids* is the product of.

        What depends on one of the axes alone is that axis' label. An atom that differs along
        several is made the pair of new labels along each of them. None stands for an axis along
        which nothing differs.
        """
        columns, complete = self._columns(ids, _DEEPEST)
        parts: list[list[Ids]] = [[] for _ in sizes]
        if not complete or any((column < 0).any() for column in columns):
            columns = [self.find(ids)]
        for column in columns:
            grid = column.reshape(*sizes)
            varying = [axis for axis in range(len(sizes)) if _varies(grid, axis)]
            if not varying:
                self.freeze(column[:1], "it is a whole axis")
            elif len(varying) == 1:
                parts[varying[0]].append(_line(grid, varying[0]))
            else:
                made = [self.fresh(size) if i in varying else None for i, size in enumerate(sizes)]
                merged = self.merge(sizes, made)
                if merged is not None:
                    self.unite(column, merged)
                for axis in varying:
                    found = made[axis]
                    if found is not None:
                        parts[axis].append(found)
        return [self._together(part) for part in parts]

    def merge(self, sizes: Sequence[int], along: Sequence[Ids | None]) -> Ids | None:
        """Return the labels of the axis that is the product of axes of *sizes*, outermost first."""
        result: Ids | None = None
        for axis, ids in enumerate(along):
            if ids is None:
                continue
            before, after = prod(sizes[:axis]), prod(sizes[axis + 1 :])
            spread = np.tile(np.repeat(ids, after), before)
            result = spread if result is None else self.pairs(result, spread)
        return result

    def _together(self, parts: list[Ids]) -> Ids | None:
        if not parts:
            return None
        result = parts[0]
        for part in parts[1:]:
            result = self.pairs(result, part)
        return result


def _varies(grid: Ids, axis: int) -> bool:
    return not bool((grid == grid.take([0], axis=axis)).all())


def _line(grid: Ids, axis: int) -> Ids:
    """Return *grid* along *axis*, at the first place of every other axis."""
    return np.moveaxis(grid, axis, 0).reshape(grid.shape[axis], -1)[:, 0]
