"""Range method: everything that calibration saw."""

from __future__ import annotations

from compressor.calibration.table import TensorStatistics

NEEDS_HISTOGRAM = False


def choose_range(statistics: TensorStatistics) -> tuple[float, float]:
    """Return the smallest and largest value seen."""
    return statistics.low, statistics.high
