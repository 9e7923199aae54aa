"""Quality of an artifact against its source on the same samples, with a paired interval."""

from __future__ import annotations

import math

import numpy as np

from bench.metric import Metric, Needs
from bench.metrics.agreement import METRIC as AGREEMENT
from bench.metrics.cosine import METRIC as COSINE
from bench.metrics.sqnr import METRIC as SQNR
from bench.paired import class_changes, flips_of, mcnemar
from bench.records import FLIPS_KEPT, Accuracy, Interval
from bench.statistics import RESAMPLES, Indices, bootstrap_interval, mean_interval
from compressor.errors import Code, EdgecError
from runtimes.protocol import Array

_WHOLE_RESAMPLES = 300
"""Resamples for metrics that are no mean over samples and are evaluated anew for each."""


def compare_accuracy(
    metric: Metric, source: Array, artifact: Array, labels: Array | None, *, seed: int = 0
) -> Accuracy:
    """Hold an *artifact*'s outputs [samples, ...] against those of the *source*.

    The drop is positive when the artifact is worse; its interval draws samples with replacement,
    the same ones for both models. A metric that needs a reference takes the source's outputs.

    Raises:
        EdgecError: ``DATA_LABELS`` when labels are missing or do not fit, ``ARTIFACT_MISMATCH``
            when the artifact's outputs have another shape, or NaN where the source's have none.
    """
    _check_outputs(source, artifact)
    target = source if metric.needs is Needs.REFERENCE else _labels(metric, labels, len(source))
    best = metric.evaluate(source, target)
    classes = labels if _is_classification(source, labels) else None
    flips = flips_of(source, artifact, classes)
    return Accuracy(
        metric=metric.name,
        unit=metric.unit,
        samples=len(source),
        source=best,
        artifact=metric.evaluate(artifact, target),
        drop=_drop(metric, source, artifact, target, seed) if math.isfinite(best) else None,
        drop_unit=metric.unit if metric.point is None else "pt",
        agreement=AGREEMENT.evaluate(artifact, source) if source[0].size > 1 else None,
        cosine=COSINE.evaluate(artifact, source),
        sqnr_db=SQNR.evaluate(artifact, source),
        mcnemar=None if classes is None else mcnemar(source, artifact, classes),
        classes=() if classes is None else class_changes(source, artifact, classes),
        flipped=len(flips),
        flips=flips[:FLIPS_KEPT],
    )


def _is_classification(source: Array, labels: Array | None) -> bool:
    """Whether *labels* are one class number a sample, and the outputs a row of class scores."""
    if labels is None or source.ndim != 2 or source.shape[1] < 2 or labels.dtype.kind not in "iu":
        return False
    one_each = labels.shape in {(len(source),), (len(source), 1)}
    return one_each and labels.min() >= 0 and labels.max() < source.shape[1]


def _drop(metric: Metric, source: Array, artifact: Array, target: Array, seed: int) -> Interval:
    scale = (1 if metric.higher_is_better else -1) / (metric.point or 1)
    scores = metric.scores
    if scores is not None:
        return mean_interval(scale * (scores(source, target) - scores(artifact, target)), seed)

    if metric.tally is not None:
        first, second = (metric.tally.count(outputs, target) for outputs in (source, artifact))
        value = metric.tally.value

        def loss_of_sums(draw: Indices) -> float:
            return scale * (value(first[draw].sum(axis=0)) - value(second[draw].sum(axis=0)))

        return bootstrap_interval(loss_of_sums, len(source), resamples=RESAMPLES, seed=seed)

    def loss(draw: Indices) -> float:
        held = target[draw]
        return scale * _difference(metric, source[draw], artifact[draw], held)

    return bootstrap_interval(loss, len(source), resamples=_WHOLE_RESAMPLES, seed=seed)


def _difference(metric: Metric, source: Array, artifact: Array, target: Array) -> float:
    """Source minus artifact; NaN where the metric is not defined on these labels."""
    try:
        return metric.evaluate(source, target) - metric.evaluate(artifact, target)
    except EdgecError as error:
        if error.code not in (Code.DATA_LABELS, Code.METRIC_FAILED):
            raise
        return np.nan


def _labels(metric: Metric, labels: Array | None, samples: int) -> Array:
    if labels is None or labels.ndim == 0 or len(labels) != samples:
        found = "none" if labels is None else f"an array of shape {list(labels.shape)}"
        raise EdgecError(
            Code.DATA_LABELS,
            f"the metric {metric.name} needs labels; there is {found}",
            expected=f"{samples} labels, one for each sample",
        )
    return labels


def _check_outputs(source: Array, artifact: Array) -> None:
    if source.shape != artifact.shape:
        raise EdgecError(
            Code.ARTIFACT_MISMATCH,
            f"the artifact's outputs have shape {list(artifact.shape)}",
            expected=f"that of the source's: {list(source.shape)}",
        )
    if np.isnan(artifact).any() and not np.isnan(source).any():
        raise EdgecError(Code.ARTIFACT_MISMATCH, "the artifact's outputs hold NaN")
