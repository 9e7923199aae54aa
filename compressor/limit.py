"""The stage that keeps the loss within what the user allows, with as few layers in float as it can.

Layers are ranked by the error that quantizing each of them alone makes. The worst go to float, as
many as the bound needs (found by halving), and those that turn out not to matter come back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import onnx_ir as ir

from bench.accuracy import compare_accuracy
from compressor.evaluation import Batch
from compressor.export import export_options, write_artifact
from compressor.job import Job
from compressor.quantize import annotated
from compressor.recipe import Scheme
from compressor.sensitivity import (
    Array,
    LayerError,
    accumulated_errors,
    integer_layers,
    own_errors,
)

_JUDGED = 1000
_RANKED = 32
_BATCH = 16
_RANKING_SHARE = 0.5


def limit_drop(job: Job) -> None:
    """Keep layers in float until ``max_drop`` is met, and rank all by their errors."""
    if job.recipe.max_drop is None or job.recipe.quantize is not Scheme.INT8 or job.table is None:
        return
    judge = _Judge.of(job)
    if judge is None:
        job.notebook.note("--max-drop needs --data: nothing was measured")
        return
    job.notebook.stage("limit drop")
    ranked = _ranked(job, judge)
    job.sensitivity = tuple(ranked)
    bound = job.recipe.max_drop.value
    drop = judge.drop(job.graph)
    if drop > bound:
        _keep_in_float(job, judge, [entry.node for entry in ranked], bound, drop)


@dataclass(frozen=True, kw_only=True)
class _Judge:
    """Runs graphs on samples whose answers are known.

    Attributes:
        job: the compilation.
        batches: the samples.
        truth: the float model's first output.
        deadline: when to stop.
    """

    job: Job
    batches: tuple[Batch, ...]
    truth: Array
    deadline: float

    @classmethod
    def of(cls, job: Job) -> _Judge | None:
        """Return the judge of *job*; None where there is no data to judge by."""
        if job.samples.metric is None:
            return None
        batches, count = [], 0
        for batch in job.samples.batches:
            batches.append(batch)
            count += len(next(iter(batch.values())))
            if count >= _JUDGED:
                break
        deadline = perf_counter() + job.recipe.max_drop_seconds
        judge = cls(job=job, batches=tuple(batches), truth=np.zeros(0), deadline=deadline)
        return dataclasses.replace(judge, truth=judge.answers(job.source.model))

    def answers(self, graph: ir.Model, most: int | None = None) -> Array:
        """Return the first output of *graph* on all samples, or on the first *most*."""
        stem = self.job.place.scratch / "judged"
        artifact = write_artifact(graph, "onnx", stem, export_options(self.job.recipe))
        session = self.job.place.worker.open("ort", artifact.path)
        name = self.job.source.interface.outputs[0].name
        pieces, left = [], most
        for batch in self.batches:
            part = batch if left is None else {k: v[:left] for k, v in batch.items()}
            pieces.append(session.run_many(part, batch=_BATCH)[name])
            left = None if left is None else left - len(pieces[-1])
            if left is not None and left <= 0:
                break
        session.close()
        return np.concatenate(pieces)

    def drop(self, graph: ir.Model) -> float:
        """Return what *graph* loses of the metric, in its points."""
        metric, labels = self.job.samples.metric, self.job.samples.labels
        if metric is None:
            raise ValueError("there is nothing to judge by")
        held = None if labels is None else labels[: len(self.truth)]
        lost = compare_accuracy(metric, self.truth, self.answers(graph), held).drop
        return 0.0 if lost is None else lost.value

    def in_time(self, share: float = 1.0) -> bool:
        """Whether less than *share* of the time has gone."""
        left = self.deadline - perf_counter()
        return left > (1 - share) * self.job.recipe.max_drop_seconds


def _ranked(job: Job, judge: _Judge) -> list[LayerError]:
    """Return the integer layers, the one whose quantization alone errs most in front."""
    if job.prepared is None:
        raise ValueError("nothing was calibrated")
    first = [{k: v[:_BATCH] for k, v in judge.batches[0].items()}]
    errors = accumulated_errors(job.prepared, job.graph, first, job.make_runner)
    known = {entry.node: entry for entry in errors}
    layers = [node.name or "" for node in integer_layers(job.graph)]
    layers.sort(key=lambda name: known[name].accumulated_db if name in known else 0.0)
    truth = judge.truth[:_RANKED]

    def answer(keep_float: frozenset[str]) -> Array:
        return judge.answers(annotated(job, keep_float, rounded=False), _RANKED)

    own = own_errors(layers, truth, answer, in_time=lambda: judge.in_time(_RANKING_SHARE))
    entries = [dataclasses.replace(known[n], sqnr_db=own.get(n)) for n in layers if n in known]
    return sorted(entries, key=lambda e: e.accumulated_db if e.sqnr_db is None else e.sqnr_db)


def _keep_in_float(
    job: Job, judge: _Judge, ranked: Sequence[str], bound: float, drop: float
) -> None:
    """Choose the layers of *ranked* to keep in float and annotate the working graph anew."""
    best, kept, least = job.graph, frozenset[str](), drop
    low, high = 1, max(1, len(ranked) - 1)  # all of them in float would be no INT8
    while low <= high and judge.in_time():
        middle = (low + high) // 2
        chosen = frozenset(ranked[:middle])
        graph = annotated(job, chosen)
        found = judge.drop(graph)
        if found <= bound or (least > bound and found < least):
            best, kept, least = graph, chosen, found
        low, high = (low, middle - 1) if found <= bound else (middle + 1, high)
    for name in reversed(ranked):
        if name not in kept or least > bound or not judge.in_time():
            continue
        graph = annotated(job, kept - {name})
        found = judge.drop(graph)
        if found <= bound:
            best, kept, least = graph, kept - {name}, found
    job.graph, job.keep_float = best, kept
    _report(job, kept, bound, drop, least)


def _report(job: Job, kept: frozenset[str], bound: float, drop: float, least: float) -> None:
    nodes = [entry.node for entry in job.sensitivity if entry.node in kept]
    listed = ", ".join(nodes) or "no layer"
    if least <= bound:
        job.notebook.note(f"kept in float for --max-drop: {listed}; the loss was {drop:.2f} pt")
        return
    job.notebook.note(
        f"--max-drop of {bound:g} pt is infeasible within the time; the best found loses "
        f"{least:.2f} pt with {listed} in float"
    )
