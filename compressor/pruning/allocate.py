"""How much goes where: the least damage within a budget, on widths that kernels like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compressor.analyses.coupling.result import Coupling, Mask
from compressor.errors import Code, EdgecError
from compressor.pruning.costs import CostModel
from compressor.pruning.curves import Curve

_STRIDES = (1, 2, 4)
_FREE = 1e-4  # damage that counts as none: measured curves are flat below their noise


def allocate(
    curves: Sequence[Curve],
    coupling: Coupling,
    cost: CostModel,
    bound: float,
    *,
    align: int,
    uniform: bool = False,
) -> dict[str, int]:
    """Return how many units of each dimension go so that *cost* is at most *bound*.

    The widths that stay are multiples of *align* where dimensions are longer than that. Each step
    takes what does the least damage for what it saves; what overshoots is given back at the end.

    Raises:
        EdgecError: ``PRUNE_BUDGET_OUT_OF_REACH`` when the bound cannot be met.
    """
    work = _Work(curves, coupling, cost, align)
    if uniform:
        work.shrink_evenly(bound)
    else:
        work.shrink(bound)
    work.give_back(bound)
    return {curve.dimension.name: gone for curve, gone in zip(curves, work.gone, strict=True)}


class _Work:
    """Numbers of units gone, and the cost that they leave."""

    def __init__(
        self, curves: Sequence[Curve], coupling: Coupling, cost: CostModel, align: int
    ) -> None:
        self._curves, self._cost, self._align = curves, cost, align
        self._removed: Mask = np.zeros(coupling.atoms + 1, np.bool_)
        self._touched = [cost.touched(curve.dimension.units) for curve in curves]
        self.gone = [0] * len(curves)
        cost.settle(self._removed)
        self.left = cost.of(self._removed, [])

    def shrink(self, bound: float) -> None:
        """Take away step by step, the cheapest damage first, until *bound* is met."""
        while self.left > bound:
            best = min(
                (
                    (self._price(i, gone), i, gone)
                    for i in range(len(self._curves))
                    for gone in self._next(i)
                ),
                default=None,
            )
            if best is None:
                raise _unreachable(self.left, bound)
            self._take(best[1], best[2])

    def shrink_evenly(self, bound: float) -> None:
        """Take the same share of every dimension, the smallest that meets *bound*."""
        for percent in range(1, 100):
            for i, curve in enumerate(self._curves):
                steps = [0, *self._steps(i)]
                wanted = len(curve.dimension) * percent / 100
                self._take(i, min(steps, key=lambda gone, w=wanted: abs(gone - w)))  # type: ignore[misc]
            if self.left <= bound:
                return
        raise _unreachable(self.left, bound)

    def give_back(self, bound: float) -> None:
        """Return single steps, the worst damage first, as long as *bound* is met."""
        for i in sorted(range(len(self._curves)), key=self._last_damage, reverse=True):
            while self.gone[i]:
                fewer = max((g for g in (0, *self._steps(i)) if g < self.gone[i]), default=0)
                if self._with(i, fewer) > bound:
                    break
                self._take(i, fewer)

    def _last_damage(self, i: int) -> float:
        return self._curves[i].at(self.gone[i])

    def _steps(self, i: int) -> list[int]:
        """Return the numbers of units whose removal leaves an aligned width, ascending."""
        curve = self._curves[i]
        whole, most = len(curve.dimension), int(curve.gone[-1])
        align = self._align if whole > self._align else 1
        first = whole % align or align
        return [gone for gone in range(first, whole, align) if gone <= most]

    def _next(self, i: int) -> list[int]:
        ahead = [gone for gone in self._steps(i) if gone > self.gone[i]]
        return [ahead[stride - 1] for stride in _STRIDES if stride <= len(ahead)]

    def _price(self, i: int, gone: int) -> float:
        curve = self._curves[i]
        damage = curve.at(gone) - curve.at(self.gone[i]) + _FREE
        saved = self.left - self._with(i, gone)
        return damage / saved if saved > 0 else np.inf

    def _with(self, i: int, gone: int) -> float:
        units = self._curves[i].dimension.units[self._curves[i].order]
        before = self._removed[units].copy()
        self._removed[units] = np.arange(len(units)) < gone
        cost = self._cost.of(self._removed, self._touched[i])
        self._removed[units] = before
        return cost

    def _take(self, i: int, gone: int) -> None:
        units = self._curves[i].dimension.units[self._curves[i].order]
        self._removed[units] = np.arange(len(units)) < gone
        self.gone[i] = gone
        self._cost.settle(self._removed)
        self.left = self._cost.of(self._removed, [])


def _unreachable(left: float, bound: float) -> EdgecError:
    return EdgecError(
        Code.PRUNE_BUDGET_OUT_OF_REACH,
        f"what can be removed leaves {left:,.0f}, more than {bound:,.0f}",
        where="--prune",
        expected="a budget that the dimensions of the model allow",
        hint="`edgec inspect MODEL --prunable` shows what may go and why the rest may not",
    )
