"""Observer: a histogram in one pass and constant memory, whose range grows with the data."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from compressor.calibration.table import Histogram, TensorStatistics

BINS = 2048
_CHUNK = 1 << 14  # values that stay in the processor's cache through all steps
_FINEST = -120  # the reciprocal of a finer width would leave float32


class HistogramObserver:
    """Counts values in bins of width ``2**k`` anchored at zero.

    When values no longer fit into ``2 * BINS`` bins, the width doubles and neighbouring bins merge.
    Bins never straddle a coarser bin's edge, so the counts are exactly those of a histogram that
    had known the final range from the start. (Next to values some 2**140 times larger, the smallest
    floats count as zero.)
    """

    def __init__(self) -> None:
        self._low = np.inf
        self._high = -np.inf
        self._exponent: int | None = None
        self._first = 0
        self._counts = np.zeros(0, np.int64)

    def update(self, values: npt.NDArray[np.float32]) -> None:
        """Take in *values* of any shape; values that are not finite only mark the extremes."""
        if not values.size:
            return
        low, high = float(values.min()), float(values.max())
        self._low, self._high = min(self._low, low), max(self._high, high)
        if not (math.isfinite(low) and math.isfinite(high)):
            self._low = self._high = math.nan
            return
        self._cover(low, high)
        flat = values.ravel()
        for start in range(0, flat.size, _CHUNK):
            self._count(flat[start : start + _CHUNK])

    def result(self) -> TensorStatistics:
        """Return extremes and histogram of what was seen so far."""
        width = math.ldexp(1.0, self._exponent or 0)
        histogram = Histogram(
            low=self._first * width,
            high=(self._first + len(self._counts)) * width,
            counts=self._counts.copy(),
        )
        return TensorStatistics(low=self._low, high=self._high, histogram=histogram)

    def _count(self, values: npt.NDArray[np.float32]) -> None:
        inverse = np.float32(math.ldexp(1.0, -(self._exponent or 0)))
        steps = values * inverse  # exact: a power of two
        if self._first:
            np.floor(steps, out=steps)  # whole numbers: the difference below is exact as well
            steps -= np.float32(self._first)
        self._counts += np.bincount(steps.astype(np.intp), minlength=len(self._counts))

    def _cover(self, low: float, high: float) -> None:
        """Grow the bins so that [*low*, *high*] falls into them."""
        if self._exponent is None:
            extent = max(high, 0.0) - min(low, 0.0)
            finest = math.ceil(math.log2(extent / BINS)) if extent else _FINEST
            self._exponent = max(finest, _FINEST)
        while True:
            width = math.ldexp(1.0, self._exponent)
            first = min(self._first, math.floor(low / width))
            last = max(self._first + len(self._counts), math.floor(high / width) + 1)
            if last - first <= 2 * BINS:
                break
            self._coarsen()
        grown = np.zeros(last - first, np.int64)
        start = self._first - first
        grown[start : start + len(self._counts)] = self._counts
        self._first, self._counts = first, grown

    def _coarsen(self) -> None:
        """Double the bin width by merging each even bin with the next."""
        lead = self._first % 2
        padded = np.pad(self._counts, (lead, (lead + len(self._counts)) % 2))
        self._counts = padded.reshape(-1, 2).sum(axis=1)
        self._first = (self._first - lead) // 2
        self._exponent = (self._exponent or 0) + 1
