"""Agreement: share of samples whose top-1 is that of the source model."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, mean_of
from bench.metrics._targets import real_pair, several_classes


def scores(outputs: Array, reference: Array) -> Scores:
    """Return 100 where both have the same first highest value, else 0."""
    ours, theirs = real_pair(several_classes(outputs), reference)
    return np.where(ours.argmax(axis=1) == theirs.argmax(axis=1), 100.0, 0.0)


METRIC = Metric(
    name="agreement", unit="%", needs=Needs.REFERENCE, evaluate=mean_of(scores), scores=scores
)
