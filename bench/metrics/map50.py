"""Mean average precision of detections at an overlap of one half."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bench.metric import Array, Metric, Needs
from bench.metrics._targets import flat
from compressor.errors import Code, EdgecError

_OVERLAP = 0.5
_RECALLS = np.linspace(0, 1, 101)

Reals = npt.NDArray[np.float64]


def evaluate(outputs: Array, labels: Array) -> float:
    """Return the mean over classes of the average precision, in per cent, as COCO computes it.

    *outputs* are detections [n, m, 6]: x1, y1, x2, y2, score, class; those of no score are padding.
    *labels* are objects [n, k, 5]: class, x1, y1, x2, y2 in the same unit; those of a negative
    class are padding. In the order of their scores, detections take the object of their image and
    class that they overlap most, if by one half at least and if nobody took it; precision is the
    largest at this recall or beyond, averaged over 101 recalls (Lin et al., ECCV 2014).

    Raises:
        EdgecError: ``DATA_LABELS`` for other shapes, or labels without any object.
    """
    _check(outputs, labels)
    objects = labels.astype(np.float64)
    classes = np.unique(objects[..., 0][objects[..., 0] >= 0])
    if len(classes) == 0:
        raise EdgecError(Code.DATA_LABELS, "there is no object among the labels")
    found = outputs.astype(np.float64)
    return float(100 * np.mean([_average_precision(found, objects, c) for c in classes]))


def _average_precision(found: Reals, objects: Reals, label: float) -> float:
    scores: list[float] = []
    right: list[bool] = []
    count = 0
    for detections, truth in zip(found, objects, strict=True):
        own = truth[truth[:, 0] == label][:, 1:]
        count += len(own)
        mine = detections[(detections[:, 5] == label) & (detections[:, 4] > 0)]
        mine = mine[np.argsort(-mine[:, 4], kind="stable")]
        scores += mine[:, 4].tolist()
        right += _matched(_overlaps(mine[:, :4], own))
    order = np.argsort(-np.array(scores), kind="stable")
    hits = np.array(right, bool)[order].cumsum()
    if len(hits) == 0:
        return 0.0
    precision = hits / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / count, _RECALLS, side="left")
    return float(np.append(precision, 0.0)[places].mean())


def _matched(overlaps: Reals) -> list[bool]:
    """Return whether each detection, best first, finds an object that is still free."""
    free = overlaps.copy()
    result = []
    for row in free:
        best = int(row.argmax()) if row.size else 0
        hit = bool(row.size and row[best] >= _OVERLAP)
        if hit:
            free[:, best] = -1.0
        result.append(hit)
    return result


def _overlaps(a: Reals, b: Reals) -> Reals:
    """Return intersection over union of every box of *a* with every box of *b*."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - common
    found: Reals = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return found


def _check(outputs: Array, labels: Array) -> None:
    flat(outputs)
    fits = outputs.ndim == 3 and outputs.shape[2] == 6 and labels.ndim == 3
    if (
        not fits
        or labels.dtype.kind not in "fiu"
        or labels.shape[2] != 5
        or len(labels) != len(outputs)
    ):
        raise EdgecError(
            Code.DATA_LABELS,
            f"outputs have shape {list(outputs.shape)}, labels {list(labels.shape)}",
            expected="detections [n, m, 6] (x1, y1, x2, y2, score, class) and objects [n, k, 5] "
            "(class, x1, y1, x2, y2)",
            hint='decode raw outputs in a metric of your own: metric = "file.py:function"',
        )


METRIC = Metric(name="map50", unit="%", needs=Needs.LABELS, evaluate=evaluate)
