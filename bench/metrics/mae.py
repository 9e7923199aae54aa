"""Mean absolute error of a regression."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, mean_of
from bench.metrics._targets import real_pair


def scores(outputs: Array, labels: Array) -> Scores:
    """Return each sample's mean absolute difference."""
    ours, theirs = real_pair(outputs, labels)
    errors: Scores = np.abs(ours - theirs).mean(axis=1)
    return errors


METRIC = Metric(
    name="mae",
    unit="",
    needs=Needs.LABELS,
    higher_is_better=False,
    point=None,
    evaluate=mean_of(scores),
    scores=scores,
)
