"""Spearman's rank correlation of one score a sample with the labels."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs
from bench.metrics._ranks import mean_ranks
from bench.metrics._targets import real_pair
from compressor.errors import Code, EdgecError


def evaluate(outputs: Array, labels: Array) -> float:
    """Return the correlation of *outputs* and *labels*, both [n] or [n, 1].

    Raises:
        EdgecError: ``DATA_LABELS`` for other shapes, or labels that are all equal.
    """
    ours, theirs = real_pair(outputs, labels)
    if ours.shape[1] != 1 or np.ptp(theirs) == 0:
        raise EdgecError(
            Code.DATA_LABELS,
            f"outputs of shape {list(outputs.shape)} cannot be ranked against these labels",
            expected="one score a sample, and labels that differ",
        )
    a, b = mean_ranks(ours[:, 0]), mean_ranks(theirs[:, 0])
    a, b = a - a.mean(), b - b.mean()
    spread = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / spread) if spread else 0.0  # outputs that are all equal rank nothing


METRIC = Metric(name="spearman", unit="", needs=Needs.LABELS, point=0.01, evaluate=evaluate)
