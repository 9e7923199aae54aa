"""What the analysis of couplings says about a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Atoms = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Site = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """Units that are alike: each goes from the same axes of the same tensors.

    Attributes:
        name: the node that makes it first; a number follows where that node makes several.
        units: atoms of the coupling, in the order of the first axis that carries them.
        sites: axes that carry its units: the first of each array of labels.
        blocked: why nothing of it may go; empty where units may.
    """

    name: str
    units: Atoms
    sites: tuple[Site, ...]
    blocked: str = ""

    def __len__(self) -> int:
        return len(self.units)


@dataclass(frozen=True, kw_only=True)
class Coupling:
    """Which channels of which tensors go together.

    Attributes:
        atoms: number of units in all.
        axes: for each value and axis that can shrink, the units of each index, shape
            [length, most], filled with -1: an index goes when any of its units does.
        dimensions: units that are alike, in the order of the graph.
    """

    atoms: int
    axes: Mapping[Site, Atoms]
    dimensions: tuple[Dimension, ...]

    @property
    def prunable(self) -> tuple[Dimension, ...]:
        """The dimensions of which something may go."""
        return tuple(d for d in self.dimensions if not d.blocked and len(d) > 1)

    def removed(self, units: Atoms) -> Mask:
        """Return the mask over all units that is true for *units*; shape [atoms + 1]."""
        mask = np.zeros(self.atoms + 1, np.bool_)
        mask[units] = True
        return mask

    def kept(self, removed: Mask) -> dict[Site, Mask]:
        """Return what stays of each axis that loses something, given a mask over all units.

        The last element of *removed*, which stands for no unit, must be false.
        """
        seen: dict[int, Mask] = {}
        result = {}
        for site, atoms in self.axes.items():
            if id(atoms) not in seen:
                seen[id(atoms)] = np.logical_not(removed[atoms].any(axis=1))
            if seen[id(atoms)].size > seen[id(atoms)].sum():
                result[site] = seen[id(atoms)]
        return result
