"""Activation statistics of one graph: a frozen value beside the graph, tied to its fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from compressor.calibration.moments import Moments
from compressor.errors import Code, EdgecError


@dataclass(frozen=True, kw_only=True)
class Histogram:
    """Counts of a tensor's values in equal bins between ``low`` and ``high``.

    Attributes:
        low: left edge of the first bin.
        high: right edge of the last bin.
        counts: values per bin, shape [bins], int64.
    """

    low: float
    high: float
    counts: npt.NDArray[np.int64]

    @property
    def width(self) -> float:
        """Width of one bin."""
        return (self.high - self.low) / len(self.counts)

    def centers(self) -> npt.NDArray[np.float64]:
        """Midpoint of every bin, shape [bins]."""
        steps = np.arange(len(self.counts), dtype=np.float64) + 0.5
        return np.asarray(self.low + steps * self.width, np.float64)


@dataclass(frozen=True, kw_only=True)
class TensorStatistics:
    """What calibration saw of one tensor: exact extremes, and a histogram when asked for."""

    low: float
    high: float
    histogram: Histogram | None = None


@dataclass(frozen=True, kw_only=True)
class CalibrationTable:
    """Statistics by value name.

    Attributes:
        fingerprint: the graph that produced them.
        samples: how many samples were run.
        tensors: statistics of each observed value.
        moments: input moments of each observed layer, by node name.
    """

    fingerprint: str
    samples: int
    tensors: Mapping[str, TensorStatistics]
    moments: Mapping[str, Moments] = field(default_factory=dict)

    def of(self, name: str) -> TensorStatistics:
        """Return the statistics of value *name*.

        Raises:
            EdgecError: ``CALIBRATION_MISMATCH`` when it was not observed.
        """
        if name not in self.tensors:
            raise EdgecError(
                Code.CALIBRATION_MISMATCH,
                f"the calibration table has no statistics of '{name}'",
                where=f"value '{name}'",
            )
        return self.tensors[name]

    def require(self, fingerprint: str) -> None:
        """Raise ``CALIBRATION_MISMATCH`` unless the table belongs to graph *fingerprint*."""
        if fingerprint != self.fingerprint:
            raise EdgecError(
                Code.CALIBRATION_MISMATCH,
                f"the table was made for graph {self.fingerprint}, not for {fingerprint}",
                hint="calibrate again after the passes that change the graph",
            )
