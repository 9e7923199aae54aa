"""Range method: leave out the outermost share of values on each side."""

from __future__ import annotations

import numpy as np

from compressor.calibration.table import TensorStatistics

NEEDS_HISTOGRAM = True
KEPT = 0.9999


def choose_range(statistics: TensorStatistics) -> tuple[float, float]:
    """Return the range that holds the central ``KEPT`` share of the values.

    A side on which zero already lies inside that share is widened to zero later on.
    """
    histogram = statistics.histogram
    if histogram is None:
        raise ValueError("the percentile method needs a histogram")
    share = np.cumsum(histogram.counts) / histogram.counts.sum()
    tail = (1 - KEPT) / 2
    first = int(np.searchsorted(share, tail, side="right"))
    last = int(np.searchsorted(share, 1 - tail, side="left"))
    low = histogram.low + first * histogram.width
    high = histogram.low + (last + 1) * histogram.width
    return max(low, statistics.low), min(high, statistics.high)
