"""The stage that sends back to float what INT8 does not make faster, for each runtime.

A file that was measured to be slower than the float model in its own runtime is written anew: first
without the kinds of kernels that the runtime lacks in INT8, and where that does not help with INT8
weights alone, which compute in float.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx_ir as ir

from bench.latency import Entry, LatencyOptions, compare, time_models
from bench.records import ArtifactRecord
from compressor.analyses.kernel_kinds import kernel_kinds
from compressor.artifact import Rollback, Trial
from compressor.export import export, export_options, write_artifact
from compressor.job import Job
from compressor.measure import measure, weigh
from compressor.pipeline import run_passes
from compressor.present import presentation
from compressor.quantize import annotated, steps_of
from compressor.recipe import COMPUTING, Scheme
from runtimes.targets import runtime_for

_TRIAL_SECONDS = 0.5
_MOST_KINDS = 6
_ALL = "all layers"


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A way to write a model with less of it in INT8."""

    what: str
    keep_float: frozenset[str]
    ratio: float


def roll_back(job: Job) -> None:
    """Write the artifacts that are slower than float anew, and measure all of them again."""
    if not job.recipe.require_faster or job.recipe.quantize not in COMPUTING:
        return
    slow = [
        (trial, record)
        for trial, record in zip(job.trials, job.artifacts, strict=True)
        if _is_slower(record)
    ]
    if not slow or job.prepared is None:
        return
    job.notebook.stage("roll back")
    job.rollbacks = tuple(_settle(job, trial, record) for trial, record in slow)
    for rollback in job.rollbacks:
        job.notebook.note(str(rollback))
    if len(job.variants) == len(job.recipe.to):
        job.graph = job.variants[job.recipe.to[0]]
    export(job)
    weigh(job)
    measure(job)


def _is_slower(record: ArtifactRecord) -> bool:
    return record.ratio is not None and record.ratio.ratio.value > 1


def _settle(job: Job, trial: Trial, record: ArtifactRecord) -> Rollback:
    """Choose the form of one artifact and keep its graph as the format's variant."""
    name, before = trial.artifact.format, _ratio_of(record)
    best = min(_without_a_kind(job, trial), key=lambda form: form.ratio, default=None)
    if best is not None and best.ratio < 1:
        graph, what, after = annotated(job, best.keep_float), best.what, best.ratio
    else:
        graph, what = _with_integer_weights(job), _ALL
        after = _timed(job, graph, trial)
    steps = presentation(job.recipe)
    if steps:
        run_passes(graph, steps, interface=None)
    job.variants[name] = graph
    return Rollback(
        artifact=record.name, runtime=record.runtime, what=what, before=before, after=after
    )


def _ratio_of(record: ArtifactRecord) -> float:
    if record.ratio is None:
        raise ValueError("the artifact was not timed")
    return record.ratio.ratio.value


def _without_a_kind(job: Job, trial: Trial) -> Iterator[_Form]:
    """Yield the forms that leave one kind of kernel in float, timed; none of one kind alone."""
    kinds = kernel_kinds(job.graph.graph)
    if len(kinds) < 2:
        return
    for kind, names in list(kinds.items())[:_MOST_KINDS]:
        keep_float = frozenset(names)
        graph = annotated(job, keep_float, rounded=False)
        what = f"{len(names)} nodes of kind {kind}"
        yield _Form(what=what, keep_float=keep_float, ratio=_timed(job, graph, trial))


def _with_integer_weights(job: Job) -> ir.Model:
    """Return the graph as it was before it was prepared for integers, with INT8 weights."""
    if job.plain is None:
        raise ValueError("nothing was quantized")
    graph = job.plain.clone()
    steps = steps_of(job, Scheme.INT8_WEIGHTS, frozenset(job.recipe.keep_float))
    run_passes(graph, steps, interface=job.source.interface)
    return graph


def _timed(job: Job, graph: ir.Model, trial: Trial) -> float:
    """Return the latency of *graph* over that of the float model, in the runtime of *trial*."""
    if trial.baseline is None:
        raise ValueError("only files with a baseline were measured")
    stem: Path = job.place.scratch / "form"
    artifact = write_artifact(graph, trial.artifact.format, stem, export_options(job.recipe))
    worker, runtime = job.place.worker, runtime_for(artifact.path).NAME
    feeds = job.samples.first_sample(job.source.interface.inputs[0].concrete()[0])
    entries = [
        Entry(label=label, session=worker.open(runtime, path), feeds=feeds)
        for label, path in (("float", trial.baseline), ("form", artifact.path))
    ]
    budget = min(_TRIAL_SECONDS, job.recipe.latency_seconds)
    baseline, own = time_models(worker, entries, LatencyOptions(budget_s=budget))
    for entry in entries:
        entry.session.close()
    return compare(baseline, own).ratio.value
