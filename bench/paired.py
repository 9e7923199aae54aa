"""Two models on the same samples: where their answers part, and whether that can be chance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from bench.metric import Array
from bench.records import ClassChange, Flip

_EXACT_UP_TO = 10_000


def mcnemar(source: Array, artifact: Array, labels: Array) -> float:
    """Return the two-sided p-value of McNemar's test on right answers; 1 when none differ.

    Only samples that exactly one model gets right count. If both are equally good, each of those is
    as likely to be one model's as the other's (McNemar, Psychometrika 12, 1947). The binomial law
    is summed exactly; beyond 10,000 such samples its normal limit with continuity correction is.
    """
    first, second = _right(source, labels), _right(artifact, labels)
    lost, won = int((first & ~second).sum()), int((~first & second).sum())
    total, fewer = lost + won, min(lost, won)
    if total == 0:
        return 1.0
    if total > _EXACT_UP_TO:
        distance = max(0.0, abs(lost - won) - 1) / math.sqrt(total)
        return math.erfc(distance / math.sqrt(2))
    half = total * math.log(2)
    tail = sum(
        math.exp(math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1) - half)
        for k in range(fewer + 1)
    )
    return min(1.0, 2 * tail)


def class_changes(source: Array, artifact: Array, labels: Array) -> tuple[ClassChange, ...]:
    """Return right answers of both models for each class among *labels*, largest loss first."""
    first, second, wanted = _right(source, labels), _right(artifact, labels), labels.reshape(-1)
    found = []
    for label in np.unique(wanted):
        own = wanted == label
        found.append(
            ClassChange(
                label=int(label),
                samples=int(own.sum()),
                source=int(first[own].sum()),
                artifact=int(second[own].sum()),
            )
        )
    return tuple(sorted(found, key=lambda change: change.artifact - change.source))


def flips_of(source: Array, artifact: Array, labels: Array | None) -> tuple[Flip, ...]:
    """Return the samples whose highest score moved to another class; none for single outputs."""
    if source.ndim != 2 or source.shape[1] < 2:
        return ()
    before, after = source.argmax(axis=1), artifact.argmax(axis=1)
    wanted = None if labels is None else labels.reshape(-1)
    return tuple(
        Flip(
            index=int(index),
            label=None if wanted is None else int(wanted[index]),
            source=int(before[index]),
            artifact=int(after[index]),
        )
        for index in np.flatnonzero(before != after)
    )


def _right(outputs: Array, labels: Array) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = outputs.argmax(axis=1) == labels.reshape(-1)
    return found
