"""What a quality metric is, and how to find one by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError

Array = npt.NDArray[Any]
Scores = npt.NDArray[np.float64]

_FOLDER = Catalog("bench.metrics")


class Needs(Enum):
    """What a model's outputs are held against."""

    LABELS = "labels"
    REFERENCE = "reference"


@dataclass(frozen=True, kw_only=True)
class Tally:
    """A number that follows from sums over samples: what is counted, and what the sums give.

    Attributes:
        count: (outputs [samples, ...], labels) -> counts of each sample, [samples, k].
        value: sums over samples [k] -> the number.
    """

    count: Callable[[Array, Array], Scores]
    value: Callable[[Scores], float]

    def evaluate(self, outputs: Array, target: Array) -> float:
        """Return the number over all samples."""
        return self.value(self.count(outputs, target).sum(axis=0))


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number for the quality of outputs.

    Attributes:
        name: as written in a data description.
        unit: "%", "dB", or empty for a plain number.
        needs: labels, or the outputs of the source model.
        higher_is_better: the direction.
        point: what one point is in this unit (1 for percentages, 0.01 for numbers up to 1); None
            where the scale is open and points mean nothing.
        evaluate: (outputs [samples, ...], labels or reference) -> the number; ``DATA_LABELS`` when
            they do not fit.
        scores: the same for each sample [samples], when the number is their mean.
        tally: when the number follows from sums over samples, which makes intervals cheap.
    """

    name: str
    unit: str
    needs: Needs
    higher_is_better: bool = True
    point: float | None = 1.0
    evaluate: Callable[[Array, Array], float]
    scores: Callable[[Array, Array], Scores] | None = None
    tally: Tally | None = None


def mean_of(scores: Callable[[Array, Array], Scores]) -> Callable[[Array, Array], float]:
    """Return the function that averages *scores* over samples."""
    return lambda outputs, target: float(scores(outputs, target).mean())


def metric_names() -> list[str]:
    """Return the name of every metric."""
    return list(_FOLDER)


def find_metric(name: str) -> Metric:
    """Return the metric called *name*; ``RECIPE_INVALID`` names the nearest."""
    if name not in _FOLDER:
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"there is no metric '{name}'",
            expected=nearest(name, metric_names()),
        )
    return cast("Metric", _FOLDER[name].METRIC)
