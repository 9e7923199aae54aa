"""Whether samples arrive in the range the model was trained on, judged by what the model answers.

A range alone proves nothing: some models take raw 0..255. So the model is run on the samples as
fed and as they would be fed with other settings, and only a much better answer counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from compressor.data.description import Feeding
from compressor.dataset import Batch, Samples
from compressor.errors import Code, EdgecError
from compressor.lint import Finding

Array = npt.NDArray[Any]
Run = Callable[[Batch], Array]
Value = TypeVar("Value")

# Standardising samples that are fed rightly was seen to gain up to 8 points (a shifted test set);
# wrong ranges lost 21 to 84. A paired difference of 3 standard errors excludes chance.
FAR_BETTER = 0.15
SIGNIFICANT = 3.0
# Without labels: with a wrong range, predictions fall on a few classes, or logits grow with the
# input (seen: 2.5 to 9 times fewer classes, 9 to 27 times larger leads).
FEWER_CLASSES = 2.0
LARGER_LEAD = 6.0
SATURATED = 20.0  # the second class has a probability of 2e-9

_BYTE = 255.0


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a classifier says: the class and the lead over the second class, for each sample."""

    classes: npt.NDArray[np.int64]
    leads: Array

    @property
    def variety(self) -> float:
        """Effective number of predicted classes: the exponential of their entropy."""
        share = np.bincount(self.classes) / len(self.classes)
        share = share[share > 0]
        return float(np.exp(-(share * np.log(share)).sum()))

    @property
    def lead(self) -> float:
        """Median lead, in the unit of the output."""
        return float(np.median(self.leads))


def plausible_range(samples: Samples, run: Run, labels: Array | None = None) -> list[Finding]:
    """Judge the range of *samples* by the float model's answers.

    Args:
        samples: evaluation samples of a model with one input; some hundred are enough.
        run: runs the float model on a batch and returns its first output.
        labels: class indices ``[n]``, when there are any.

    Returns:
        Doubts; empty too when the output is not that of a classifier, which cannot be judged.

    Raises:
        EdgecError: ``DATA_RANGE`` when other settings, which the message names, make the answers
            far more accurate and the values are raw or the answers no better than chance.
    """
    if len(samples.plans) != 1 or _only(samples.plans).spec.numpy.kind != "f":
        return []
    feeding = _only(samples.plans).feeding
    unscaled = _is_raw(samples) and not feeding.scales
    suspect = unscaled or _is_half_described(feeding)
    if labels is None and not suspect:
        return []
    fed = _answers(samples, run)
    if fed is None:
        return []
    if labels is not None and _are_classes(labels, fed):
        at_chance = _at_chance(fed, labels)
        tries = _alternatives(samples) if suspect or at_chance else iter(())
        return _judge_by_labels(fed, labels, tries, samples, run, severe=at_chance or unscaled)
    return _judge_by_variety(fed, samples, run) if suspect else []


def _judge_by_labels(
    fed: Answers,
    labels: Array,
    tries: Iterator[Feeding],
    samples: Samples,
    run: Run,
    *,
    severe: bool,
) -> list[Finding]:
    right: Array = fed.classes == labels
    for feeding in tries:
        other = _answers(_refed(samples, feeding), run)
        if other is None or not _far_better(other.classes == labels, right):
            continue
        better = float((other.classes == labels).mean())
        what = f"the model is right on {right.mean():.0%} of the samples as fed"
        what = f"{what}, on {better:.0%} with other settings"
        return _report(what, feeding, error_at=samples.where if severe else None)
    return []


def _judge_by_variety(fed: Answers, samples: Samples, run: Run) -> list[Finding]:
    for feeding in _alternatives(samples):
        other = _answers(_refed(samples, feeding), run)
        if other is None:
            continue
        if other.variety > FEWER_CLASSES * fed.variety:
            what = f"answers fall on {fed.variety:.1f} classes, on {other.variety:.1f} otherwise"
            return _report(what, feeding, error_at=None)
        saturated = fed.lead > max(SATURATED, LARGER_LEAD * other.lead)
        if saturated and FEWER_CLASSES * other.variety > fed.variety:
            what = f"answers lead by {fed.lead:.3g} (saturated), by {other.lead:.3g} otherwise"
            return _report(what, feeding, error_at=None)
    return []


def _report(what: str, feeding: Feeding, *, error_at: str | None) -> list[Finding]:
    hint = f"if the model was trained so, {_advice(feeding)} in the .toml data description"
    if error_at is not None:
        raise EdgecError(
            Code.DATA_RANGE,
            what,
            where=error_at,
            expected="samples in the range the model was trained on",
            hint=hint,
        )
    return [Finding(code=Code.DATA_RANGE, what=what, hint=hint)]


def _answers(samples: Samples, run: Run) -> Answers | None:
    """Run the model; None when its output is not ``[n, classes]``."""
    outputs = [run(batch) for batch in samples]
    if any(output.ndim != 2 or output.shape[1] < 2 for output in outputs):
        return None
    scores = np.concatenate(outputs)
    if scores.shape[1:] == _only(samples.stored).shape[1:]:  # an autoencoder, not a classifier
        return None
    top = np.sort(scores, axis=1)[:, -2:]
    return Answers(classes=scores.argmax(axis=1), leads=top[:, 1] - top[:, 0])


def _alternatives(samples: Samples) -> Iterator[Feeding]:
    """Ways of feeding that are common and differ from the one stated, likeliest first."""
    plan = _only(samples.plans)
    layout = plan.feeding.layout
    divide = _BYTE if _is_raw(samples) else 1.0
    yield _standardised(
        _only(samples.stored), plan.channel_axis, Feeding(layout=layout, divide=divide)
    )
    if plan.feeding.scales:
        yield Feeding(layout=layout)
    if _is_raw(samples):
        yield Feeding(layout=layout, divide=_BYTE / 2, mean=(1.0,))
        yield Feeding(layout=layout, divide=_BYTE)
    elif _is_unit(samples):
        yield Feeding(layout=layout, divide=1 / _BYTE)


def _standardised(stored: Array, channel_axis: int, feeding: Feeding) -> Feeding:
    axes = tuple(i for i in range(stored.ndim) if i != channel_axis or stored.shape[i] > 4)
    mean = np.atleast_1d(stored.mean(axis=axes, dtype=np.float64)) / feeding.divide
    std = np.atleast_1d(stored.std(axis=axes, dtype=np.float64)) / feeding.divide
    return replace(
        feeding,
        mean=tuple(round(float(m), 4) for m in mean),
        std=tuple(max(round(float(s), 4), 1e-4) for s in std),
    )


def _refed(samples: Samples, feeding: Feeding) -> Samples:
    plans = {name: replace(plan, feeding=feeding) for name, plan in samples.plans.items()}
    return replace(samples, plans=plans)


def _is_raw(samples: Samples) -> bool:
    """Whether the stored values are whole numbers that fill 0..255."""
    stored = _only(samples.stored)
    low, high = float(stored.min()), float(stored.max())
    whole: bool = stored.dtype.kind in "iu" or bool(np.all(stored == np.rint(stored)))
    return whole and low >= 0 and _BYTE / 2 < high <= _BYTE


def _is_unit(samples: Samples) -> bool:
    stored = _only(samples.stored)
    return float(stored.min()) >= 0 and float(stored.max()) <= 1


def _is_half_described(feeding: Feeding) -> bool:
    return feeding.divide != 1.0 and not any(feeding.mean) and all(s == 1.0 for s in feeding.std)


def _are_classes(labels: Array, answers: Answers) -> bool:
    return labels.shape == answers.classes.shape and labels.dtype.kind in "iu"


def _at_chance(answers: Answers, labels: Array) -> bool:
    """Whether the answers beat "always the commonest label" by less than two standard errors."""
    chance = float(np.unique(labels, return_counts=True)[1].max()) / len(labels)
    error = math.sqrt(chance * (1 - chance) / len(labels))
    return float((answers.classes == labels).mean()) < chance + 2 * error


def _far_better(other: Array, fed: Array) -> bool:
    """Compare pairs (McNemar's test): the gain is large and is not chance."""
    gained, lost = int((other & ~fed).sum()), int((fed & ~other).sum())
    gain = gained - lost
    return gain > FAR_BETTER * len(fed) and gain > SIGNIFICANT * math.sqrt(gained + lost)


def _advice(feeding: Feeding) -> str:
    if not feeding.scales:
        return "leave out divide, mean and std"
    settings = [f"divide = {feeding.divide:g}"]
    if any(feeding.mean) or any(s != 1.0 for s in feeding.std):
        settings += [f"mean = {list(feeding.mean)}", f"std = {list(feeding.std)}"]
    return f"state {', '.join(settings)}"


def _only(mapping: Mapping[str, Value]) -> Value:
    return next(iter(mapping.values()))
