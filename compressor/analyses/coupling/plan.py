"""What is to stay of each dimension: a value that can be written down and applied again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from compressor.analyses.coupling.result import Atoms, Coupling
from compressor.catalog import nearest
from compressor.errors import Code, EdgecError


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which units go.

    Attributes:
        removed: places within a dimension of the units that go, ascending, by its name.
    """

    removed: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def units(self, coupling: Coupling) -> Atoms:
        """Return the units of *coupling* that go.

        Raises:
            EdgecError: ``PRUNE_PLAN_MISMATCH`` for a dimension that does not exist, cannot shrink
                or would vanish.
        """
        known = {dimension.name: dimension for dimension in coupling.dimensions}
        units = [np.zeros(0, np.int64)]
        for name, places in self.removed.items():
            if name not in known:
                raise _mismatch(name, "does not exist", nearest(name, list(known)))
            dimension = known[name]
            if dimension.blocked and places:
                raise _mismatch(name, f"cannot shrink: {dimension.blocked}", "another dimension")
            if places and not 0 <= min(places) <= max(places) < len(dimension):
                raise _mismatch(name, f"has no unit {max(places)}", f"0 to {len(dimension) - 1}")
            if len(set(places)) >= len(dimension):
                raise _mismatch(name, "would vanish", "at least one unit that stays")
            units.append(dimension.units[sorted(set(places))])
        return np.concatenate(units)


def _mismatch(name: str, what: str, expected: str) -> EdgecError:
    return EdgecError(
        Code.PRUNE_PLAN_MISMATCH,
        f"dimension '{name}' {what}",
        where="the pruning plan",
        expected=expected,
        hint="`edgec inspect MODEL --prunable` lists the dimensions of a model",
    )
