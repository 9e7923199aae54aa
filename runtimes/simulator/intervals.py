"""Intervals that cover as often as they say, by split-conformal scaling of the model's own errors.

Scores are absolute errors of log times over the standard deviations that the model stated, taken
where neither the device nor the model's family was fitted on. Their quantile, with the correction
for a finite sample, widens or narrows every stated deviation (Lei et al., 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

LEVELS = (0.8, 0.9)


def interval_scale(scores: Sequence[float], level: float) -> float:
    """Return how many stated deviations contain a share *level* of *scores*, at least one."""
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    if not len(ordered):
        raise ValueError("no scores to calibrate on")
    rank = min(len(ordered), ceil((len(ordered) + 1) * level))
    return float(ordered[rank - 1])
