"""Mean intersection over union of segmentations (Everingham et al., the PASCAL VOC challenge)."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, Tally
from bench.metrics._targets import flat
from compressor.errors import Code, EdgecError

IGNORED = 255
"""Label of pixels that do not count, as in PASCAL VOC and Cityscapes."""


def count(outputs: Array, labels: Array) -> Scores:
    """Return intersections, then unions, of each class: [samples, 2 * classes].

    *outputs* are scores [n, classes, h, w] or [n, h, w, classes]; *labels* classes [n, h, w], 255
    where a pixel does not count.

    Raises:
        EdgecError: ``DATA_LABELS`` for other shapes, or a class that the model does not know.
    """
    flat(outputs)
    axis = _class_axis(outputs, labels)
    classes = outputs.shape[axis]
    wanted, found = labels.astype(np.int64), outputs.argmax(axis=axis)
    counted = wanted != IGNORED
    if counted.any() and not 0 <= wanted[counted].min() <= wanted[counted].max() < classes:
        raise _unfit(f"labels lie outside 0 to {classes - 1}", "classes of the model, or 255")
    rows = np.empty((len(outputs), 2 * classes))
    for row, want, have, seen in zip(rows, wanted, found, counted, strict=True):
        own, answered = want[seen], have[seen]
        hits = np.bincount(own[own == answered], minlength=classes)
        row[:classes] = hits
        row[classes:] = np.bincount(own, minlength=classes) - hits
        row[classes:] += np.bincount(answered, minlength=classes)
    return rows


def value(totals: Scores) -> float:
    """Return the mean over the classes that occur among labels or answers, in per cent."""
    hits, unions = np.split(totals, 2)
    occurs = unions > 0
    return float(100 * (hits[occurs] / unions[occurs]).mean()) if occurs.any() else 0.0


def _class_axis(outputs: Array, labels: Array) -> int:
    if outputs.ndim == 4 and labels.dtype.kind in "iu":
        if outputs.shape[:1] + outputs.shape[2:] == labels.shape:
            return 1
        if outputs.shape[:3] == labels.shape:
            return 3
    raise _unfit(
        f"labels have shape {list(labels.shape)} and type {labels.dtype}, outputs shape "
        f"{list(outputs.shape)}",
        "a class for each pixel [n, h, w], and scores [n, classes, h, w] or [n, h, w, classes]",
    )


def _unfit(what: str, expected: str) -> EdgecError:
    return EdgecError(Code.DATA_LABELS, what, expected=expected)


_TALLY = Tally(count=count, value=value)
METRIC = Metric(name="miou", unit="%", needs=Needs.LABELS, evaluate=_TALLY.evaluate, tally=_TALLY)
