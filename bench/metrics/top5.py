"""Top-5 accuracy: share of samples whose label is among the five highest scores."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, mean_of
from bench.metrics._targets import class_labels, several_classes

_K = 5


def scores(outputs: Array, labels: Array) -> Scores:
    """Return 100 where fewer than five classes rank before the label, else 0.

    Equal scores, common in quantized outputs, rank by class number, as ``argmax`` ranks them.
    """
    classes = several_classes(outputs, least=_K + 1)
    wanted = class_labels(labels, *classes.shape)[:, np.newaxis]
    own = np.take_along_axis(classes, wanted, axis=1)
    earlier = np.arange(classes.shape[1]) < wanted
    before = (classes > own) | ((classes == own) & earlier)
    return np.where(before.sum(axis=1) < _K, 100.0, 0.0)


METRIC = Metric(name="top5", unit="%", needs=Needs.LABELS, evaluate=mean_of(scores), scores=scores)
