"""Range method: the clipping that minimises the mean squared quantization error."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compressor.calibration.table import Histogram, TensorStatistics

NEEDS_HISTOGRAM = True
_STEPS = 255
_FRACTIONS = np.linspace(1.0, 0.4, 61)


def choose_range(statistics: TensorStatistics) -> tuple[float, float]:
    """Return the range with the least expected squared error under 8 bits.

    Each side is shrunk on its own while the other stays, one after the other (Banner et al.,
    "Post training 4-bit quantization", 2019, treat the symmetric case): values inside cost
    ``scale^2 / 12``, values outside the square of their distance to the range.
    """
    histogram = statistics.histogram
    if histogram is None:
        raise ValueError("the MSE method needs a histogram")
    low, high = min(statistics.low, 0.0), max(statistics.high, 0.0)
    centers = histogram.centers()
    for _ in range(2):
        high = _best([(low, high * f) for f in _FRACTIONS], histogram, centers)[1]
        low = _best([(low * f, high) for f in _FRACTIONS], histogram, centers)[0]
    return low, high


def _best(
    ranges: list[tuple[float, float]], histogram: Histogram, centers: npt.NDArray[np.float64]
) -> tuple[float, float]:
    lows = np.array([r[0] for r in ranges])[:, None]
    highs = np.array([r[1] for r in ranges])[:, None]
    excess = np.maximum(lows - centers, 0.0) + np.maximum(centers - highs, 0.0)
    scale = (highs - lows) / _STEPS
    errors = np.where(excess > 0, excess**2, scale**2 / 12) @ histogram.counts
    return ranges[int(np.argmin(errors))]
