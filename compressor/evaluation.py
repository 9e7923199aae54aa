"""What to judge models by: samples, labels and metric; and whether the data is plausible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from bench.metric import Metric, Needs
from compressor.custom_metric import metric_named
from compressor.data.store import LABELS
from compressor.dataset import Dataset
from compressor.ir.interface import Interface, TensorSpec, interface_of
from compressor.pipeline import Evaluate
from compressor.plausibility import plausible_range
from compressor.progress import Progress
from compressor.recipe import LedgerDetail, Recipe
from compressor.source import Source
from exporters import onnx
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session

Array = npt.NDArray[Any]
Batch = Mapping[str, Array]

_RANDOM_SAMPLES = 8
_RANGE_SAMPLES = 200
_LEDGER_SAMPLES = 500
_SEED = 0
_WITH_LABELS, _WITHOUT_LABELS = "top1", "cosine"


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What to run every model on: batches of feeds, and labels when there are any.

    Attributes:
        batches: feeds by input name; can be iterated as often as wanted.
        count: samples in all.
        labels: one for each sample.
        metric: what to judge by; None for random samples, which judge nothing.
    """

    batches: Iterable[Batch]
    count: int
    labels: Array | None = None
    metric: Metric | None = None

    def first_batch(self) -> Batch:
        """Return the first batch."""
        return next(iter(self.batches))

    def first_sample(self, count: int = 1) -> dict[str, Array]:
        """Return the feeds of one sample, or of as many as a model takes at once."""
        return {name: np.ascontiguousarray(a[:count]) for name, a in self.first_batch().items()}


def samples_for(
    source: Source, dataset: Dataset | None, recipe: Recipe, progress: Progress
) -> Samples:
    """Return the evaluation samples of *dataset*, or random ones where there is no data.

    Raises:
        EdgecError: a 3xx code for unusable data or labels, ``RECIPE_INVALID`` for the metric.
    """
    if dataset is None:
        progress.note("no --data: artifacts are checked on random inputs, accuracy is not measured")
        return random_samples(source.interface)
    chosen = dataset.evaluation(source.interface, recipe.eval_samples)
    for finding in chosen.findings:
        progress.note(str(finding))
    metric = metric_named(dataset.metric or _default_metric(source, dataset))
    labels = dataset.labels(chosen) if metric.needs is Needs.LABELS else None
    return Samples(batches=chosen, count=len(chosen), labels=labels, metric=metric)


def check_range(
    worker: Worker,
    reference: Path,
    dataset: Dataset | None,
    interface: Interface,
    progress: Progress,
) -> None:
    """Raise ``DATA_RANGE`` when the float model's answers show that samples are fed wrongly."""
    if dataset is None:
        return
    chosen = dataset.evaluation(interface, _RANGE_SAMPLES)
    labels = dataset.labels(chosen) if _is_labelled(dataset, interface) else None
    session = worker.open("ort", reference)
    first = interface.outputs[0].name

    def run(batch: Batch) -> Array:
        return session.run_many(batch, batch=len(next(iter(batch.values()))))[first]

    for finding in plausible_range(chosen, run, labels):
        progress.note(str(finding))
    session.close()


def quality_after_passes(dataset: Dataset | None, recipe: Recipe, scratch: Path) -> Evaluate | None:
    """Return the function that measures a graph's quality on a few samples, if it is asked for."""
    if dataset is None or recipe.ledger is not LedgerDetail.FULL or not dataset.has_labels:
        return None
    metric = metric_named(dataset.metric or _WITH_LABELS)

    def evaluate(model: ir.Model) -> float:
        path = scratch / "after_pass.onnx"
        onnx.save(model, ExportOptions(), path)
        session = open_session("ort", path, SessionOptions())
        chosen = dataset.evaluation(interface_of(model), _LEDGER_SAMPLES)
        first = session.interface.outputs[0].name
        answers = np.concatenate([session.run(batch)[first] for batch in chosen])
        return metric.evaluate(answers, dataset.labels(chosen))

    return evaluate


def _default_metric(source: Source, dataset: Dataset) -> str:
    """Top-1 where there are labels and one row of scores a sample; otherwise cosine similarity."""
    classifies = len(source.interface.outputs[0].shape) == 2
    labelled = _is_labelled(dataset, source.interface)
    return _WITH_LABELS if labelled and classifies else _WITHOUT_LABELS


def _is_labelled(dataset: Dataset, interface: Interface) -> bool:
    """Whether the array of labels holds labels, and is not fed to an input of that name."""
    return dataset.has_labels and LABELS not in {spec.name for spec in interface.inputs}


def random_samples(interface: Interface, count: int = _RANDOM_SAMPLES) -> Samples:
    """Standard normal floats; integers of all values where they have a scale, else 0 and 1."""
    random = np.random.default_rng(_SEED)
    feeds: dict[str, Array] = {}
    for spec in interface.inputs:
        shape = (count, *spec.concrete()[1:])
        if isinstance(spec.shape[0], int):
            shape = spec.concrete()
        feeds[spec.name] = _random_array(spec, shape, random)
    return Samples(batches=[feeds], count=len(next(iter(feeds.values()))))


def _random_array(spec: TensorSpec, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    if spec.quantization is not None:
        kind = spec.quantization.dtype
        return random.integers(kind.low, kind.high, shape, spec.numpy, endpoint=True)
    if spec.numpy.kind == "f":
        return random.standard_normal(shape).astype(spec.numpy)
    return random.integers(0, 2, shape).astype(spec.numpy)
