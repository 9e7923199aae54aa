"""Area under the ROC curve: two classes, or the mean of one against the rest over classes."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores
from bench.metrics._ranks import mean_ranks
from bench.metrics._targets import class_labels, flat
from compressor.errors import Code, EdgecError

_SUM_SLACK = 1e-2


def evaluate(outputs: Array, labels: Array) -> float:
    """Return the area; ``DATA_LABELS`` when the labels hold a single class.

    *outputs* are a score [n] or [n, 1], or class scores [n, classes]: probabilities, or logits, of
    which the softmax is taken so that samples can be ranked against each other.
    """
    scores = flat(outputs)
    classes = max(2, scores.shape[1])
    wanted = class_labels(labels, len(scores), classes)
    present = np.unique(wanted)
    if len(present) < 2:
        raise EdgecError(
            Code.DATA_LABELS,
            f"all labels are {', '.join(map(str, present))}",
            expected="at least two classes among the labels",
        )
    if scores.shape[1] == 1:
        return _area(scores[:, 0], wanted == 1)
    chances = _probabilities(scores)
    if classes == 2:
        return _area(chances[:, 1], wanted == 1)
    return float(np.mean([_area(chances[:, c], wanted == c) for c in present]))


def _area(scores: Array, positive: Array) -> float:
    """Chance that a positive ranks above a negative, ties counting half (Mann and Whitney)."""
    ones = int(positive.sum())
    zeros = len(positive) - ones
    surplus = mean_ranks(scores)[positive].sum() - ones * (ones + 1) / 2
    return float(surplus / (ones * zeros))


def _probabilities(scores: Array) -> Scores:
    real: Scores = scores.astype(np.float64)
    if real.min() >= 0 and np.abs(real.sum(axis=1) - 1).max() < _SUM_SLACK:
        return real
    powers: Scores = np.exp(real - real.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


METRIC = Metric(name="auc", unit="", needs=Needs.LABELS, point=0.01, evaluate=evaluate)
