"""Ranks in which equal values share their mean rank."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.metric import Array


def mean_ranks(values: Array) -> npt.NDArray[np.float64]:
    """Return the ranks, from 1, of *values* [n]."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[inverse]
    return ranks
