"""Top-1 accuracy: share of samples whose highest score is the label's."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, mean_of
from bench.metrics._targets import class_labels, several_classes


def scores(outputs: Array, labels: Array) -> Scores:
    """Return 100 where the first highest score is the label's, else 0."""
    classes = several_classes(outputs)
    wanted = class_labels(labels, *classes.shape)
    return np.where(classes.argmax(axis=1) == wanted, 100.0, 0.0)


METRIC = Metric(name="top1", unit="%", needs=Needs.LABELS, evaluate=mean_of(scores), scores=scores)
