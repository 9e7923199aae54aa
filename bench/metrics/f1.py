"""Macro F1: mean over classes of the harmonic mean of precision and recall."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs
from bench.metrics._targets import class_labels, several_classes


def evaluate(outputs: Array, labels: Array) -> float:
    """Return the mean F1 of the classes that occur among labels or predictions."""
    classes = several_classes(outputs)
    wanted = class_labels(labels, *classes.shape)
    predicted = classes.argmax(axis=1)
    count = classes.shape[1]
    hits = np.bincount(wanted[predicted == wanted], minlength=count)
    named = np.bincount(predicted, minlength=count) + np.bincount(wanted, minlength=count)
    return float((2 * hits[named > 0] / named[named > 0]).mean())


METRIC = Metric(name="f1", unit="", needs=Needs.LABELS, point=0.01, evaluate=evaluate)
