"""Outputs and what they are held against, brought into one form and checked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.metric import Array, Scores
from compressor.errors import Code, EdgecError

Labels = npt.NDArray[np.int64]


def flat(outputs: Array) -> Array:
    """Return *outputs* as [samples, values]; ``DATA_EMPTY`` when there is no sample."""
    if outputs.size == 0:
        raise EdgecError(Code.DATA_EMPTY, "there are no samples to evaluate a metric on")
    return outputs.reshape(len(outputs), -1)


def real_pair(outputs: Array, target: Array) -> tuple[Scores, Scores]:
    """Return both as float64 [samples, values]; ``DATA_LABELS`` unless they have equal sizes."""
    a, b = flat(np.atleast_1d(outputs)), flat(np.atleast_1d(target))
    if a.shape != b.shape:
        raise _unfit(
            f"targets have shape {list(target.shape)}",
            f"the outputs' shape {list(outputs.shape)}",
        )
    if b.dtype.kind not in "fiub":
        raise _unfit(f"targets have type {target.dtype}", "numbers")
    return a.astype(np.float64), b.astype(np.float64)


def class_labels(labels: Array, samples: int, classes: int) -> Labels:
    """Return class numbers [samples]; ``DATA_LABELS`` unless whole, in range, one for each."""
    if labels.shape not in {(samples,), (samples, 1)}:
        raise _unfit(f"labels have shape {list(labels.shape)}", f"one number a sample: [{samples}]")
    if labels.dtype.kind not in "fiub":
        raise _unfit(f"labels have type {labels.dtype}", "whole numbers")
    numbers = labels.reshape(samples)
    if not np.all(np.isfinite(numbers) & (numbers == np.floor(numbers))):
        raise _unfit("labels are not all whole numbers", "whole numbers")
    if not (numbers.min() >= 0 and numbers.max() < classes):
        raise _unfit(
            f"labels lie between {numbers.min():g} and {numbers.max():g}",
            f"0 to {classes - 1}: the model tells {classes} classes apart",
        )
    return numbers.astype(np.int64)


def several_classes(outputs: Array, least: int = 2) -> Array:
    """Return *outputs* as [samples, classes]; ``DATA_LABELS`` below *least* classes."""
    scores = flat(outputs)
    if scores.shape[1] < least:
        raise _unfit(
            f"the model gives {scores.shape[1]} values a sample",
            f"one score for each class, {least} at least",
        )
    return scores


def _unfit(what: str, expected: str) -> EdgecError:
    return EdgecError(
        Code.DATA_LABELS,
        what,
        expected=expected,
        hint="choose a metric that fits the model, or check the labels' array",
    )
