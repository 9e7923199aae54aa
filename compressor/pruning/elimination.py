"""Which units a set of linear layers can best do without, and what the rest makes up for.

Optimal Brain Surgeon (Hassibi and Stork, 1993) for blocks of inputs: what a layer loses in expected
squared output error when a block of its inputs goes and the others are re-solved by least squares
is w_b' [H^-1]_bb^-1 w_b, summed over its outputs, with H the covariance of the inputs. Units are
eliminated one after the other, H^-1 and the weights being updated each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(kw_only=True)
class Consumer:
    """A linear layer that reads the units of one dimension.

    Attributes:
        weight: shape [outputs, K]; changes as inputs are eliminated.
        inverse: of the damped covariance of the inputs, shape [K, K]; changes likewise.
        columns: inputs that belong to each unit, shape [units, block].
        energy: expected squared output, about its mean: errors are relative to it.
    """

    weight: Matrix
    inverse: Matrix
    columns: Indices
    energy: float

    @classmethod
    def of(cls, weight: Matrix, covariance: Matrix, columns: Indices, damping: float) -> Consumer:
        """Return the layer of *weight* whose inputs have *covariance*."""
        variance = float(np.trace(covariance)) / len(covariance)
        damped = covariance + np.eye(len(covariance)) * max(damping * variance, 1e-12)
        energy = float(np.einsum("ok,kl,ol->", weight, damped, weight, optimize=True))
        inverse = np.asarray(np.linalg.inv(damped), np.float64)
        return cls(
            weight=weight.copy(), inverse=inverse, columns=columns, energy=max(energy, 1e-30)
        )

    def losses(self, units: Indices) -> Matrix:
        """Return the relative error that eliminating each of *units* alone would add."""
        columns = self.columns[units]
        blocks = self.inverse[columns[:, :, None], columns[:, None, :]]
        weights = self.weight[:, columns].transpose(1, 2, 0)
        return np.asarray((weights * np.linalg.solve(blocks, weights)).sum(axis=(1, 2)))

    def eliminate(self, unit: int) -> None:
        """Take the inputs of *unit* out, and let the others make up for them."""
        columns = self.columns[unit]
        spread = np.linalg.solve(self.inverse[np.ix_(columns, columns)], self.inverse[columns])
        self.weight -= self.weight[:, columns] @ spread
        self.inverse -= self.inverse[:, columns] @ spread
        self.weight[:, columns] = 0.0
        self.inverse[columns] = 0.0
        self.inverse[:, columns] = 0.0
        self.inverse[columns, columns] = 1.0


@dataclass(frozen=True, kw_only=True)
class Elimination:
    """The order in which the units of a dimension go.

    Attributes:
        order: units, the first to go first.
        losses: relative error after each of them is gone, ascending; shape [units].
        weights: the weights of each consumer at each of the asked-for numbers of units gone.
    """

    order: Indices
    losses: Matrix
    weights: dict[int, list[Matrix]] = field(default_factory=dict)


def eliminate(consumers: Sequence[Consumer], units: int, keep: Sequence[int] = ()) -> Elimination:
    """Eliminate all *units* but one, the least missed first; remember weights at *keep*."""
    left = np.arange(units)
    order, losses, total = [], [], 0.0
    weights = {}
    for gone in range(1, units):
        added = sum(c.losses(left) / c.energy for c in consumers)
        place = int(np.argmin(added))
        total += float(np.asarray(added)[place])
        unit = int(left[place])
        for consumer in consumers:
            consumer.eliminate(unit)
        left = np.delete(left, place)
        order.append(unit)
        losses.append(total)
        if gone in keep:
            weights[gone] = [consumer.weight.copy() for consumer in consumers]
    return Elimination(order=np.array([*order, *left]), losses=np.array(losses), weights=weights)
