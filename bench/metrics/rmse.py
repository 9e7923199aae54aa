"""Root mean squared error of a regression."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs
from bench.metrics._targets import real_pair


def evaluate(outputs: Array, labels: Array) -> float:
    """Return the root of the mean squared difference over all values."""
    ours, theirs = real_pair(outputs, labels)
    return float(np.sqrt(np.square(ours - theirs).mean()))


METRIC = Metric(
    name="rmse",
    unit="",
    needs=Needs.LABELS,
    higher_is_better=False,
    point=None,
    evaluate=evaluate,
)
