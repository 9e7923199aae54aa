"""The measuring stage: run source and artifacts in their runtimes and refuse what is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from bench.accuracy import compare_accuracy
from bench.contents import contents_of
from bench.latency import Entry, LatencyOptions, compare, time_models
from bench.memory import measure_memory
from bench.parity import parity
from bench.records import (
    Accuracy,
    ArtifactRecord,
    Delegated,
    Latency,
    LatencyRatio,
    Memory,
    Parity,
)
from bench.size import measure_size
from compressor.adapter import Adapter
from compressor.analyses.cost import cost_of
from compressor.analyses.quantized import is_quantized
from compressor.answers import Entrant, answers_of, is_large
from compressor.artifact import Artifact, Trial, summarize_quantization
from compressor.errors import Code, EdgecError
from compressor.evaluation import Batch, Samples
from compressor.ir.annotations import is_convert, quant_of
from compressor.ir.interface import Interface, interface_of
from compressor.ir.quant import QuantParams
from compressor.job import Job
from compressor.recipe import Recipe, Scheme
from compressor.source import Source
from runtimes.isolate import RemoteSession, Worker
from runtimes.protocol import Outputs, SessionOptions
from runtimes.targets import runtime_for

Array = npt.NDArray[Any]

_INGEST_SAMPLES = 2

# Reordered float32 sums of a deep network differ by some hundred units in the last place of the
# largest output; a wrong rewrite differs by per cents.
FLOAT_TOLERANCE = 2e-4
# Half-precision weights carry 11 bits; errors of many layers add up to some multiples of 2**-11.
FP16_TOLERANCE = 2e-2
BF16_TOLERANCE = 8 * FP16_TOLERANCE  # three bits fewer
# Two correct integer kernels differ by a rounding here and there; a wrong scale, layout or zero
# point moves the mean by tens of steps.
LARGEST_MEAN_LSB = 8.0

_LARGE = (
    "the model is large: its artifacts are run one after the other without the runtime's "
    "optimiser, and neither timed nor measured for memory"
)


def check_ingest(worker: Worker, source: Source, canonical: Path, samples: Samples) -> None:
    """Raise ``PASS_BROKE_GRAPH`` unless the canonical model answers like the file as given.

    Sources that are no file of a runtime were held against their own framework when they were read.
    """
    if source.path is None:
        return
    options = SessionOptions(optimize=False)
    fixed = source.interface.inputs[0].concrete(batch=_INGEST_SAMPLES)[0]
    batch = {name: array[:fixed] for name, array in samples.first_batch().items()}
    answers = []
    for path in (source.path, canonical):
        session = worker.open(runtime_for(path).NAME, path, options)
        answers.append(real_outputs(session.run_many(batch), source.interface))
        session.close()
    steps = _output_steps(source.model, answers[0]) if is_quantized(source.model) else {}
    for spec in source.interface.outputs:
        given, found = answers[0][spec.name], answers[1][spec.name]
        if spec.name in steps:
            gap, limit, unit = (
                _mean_steps(given, found, steps[spec.name]),
                LARGEST_MEAN_LSB,
                "steps",
            )
        else:
            gap, limit, unit = (
                relative_difference(given, found),
                _float_limit(source),
                "of its range",
            )
        if not gap <= limit:
            raise EdgecError(
                Code.PASS_BROKE_GRAPH,
                f"the canonical graph differs from the source by {gap:.2g} {unit}",
                where=f"output '{spec.name}'",
                expected=f"at most {limit:g}",
                hint="report this with the output of `edgec inspect MODEL`",
            )


def _float_limit(source: Source) -> float:
    """Return how far float32 may be from the arithmetic of the file as given."""
    if "bfloat16" in source.other_floats:
        return BF16_TOLERANCE
    return FP16_TOLERANCE if "float16" in source.other_floats else FLOAT_TOLERANCE


def real_outputs(outputs: Outputs, interface: Interface) -> Outputs:
    """Return *outputs* with the integers of outputs that have a scale as real numbers."""
    params = {spec.name: spec.quantization for spec in interface.outputs}
    return {
        name: array if (known := params.get(name)) is None else known.dequantize(array)
        for name, array in outputs.items()
    }


def _mean_steps(reference: Array, other: Array, step: float) -> float:
    """Return the mean difference in steps of the output's scale."""
    if reference.shape != other.shape:
        return float("inf")
    return float(np.abs(other - reference).mean()) / step


def relative_difference(reference: Array, other: Array) -> float:
    """Return the largest difference as a share of the reference's largest magnitude."""
    if reference.shape != other.shape:
        return float("inf")
    scale = np.abs(reference).max(initial=0.0) or 1.0
    gap = np.abs(reference.astype(np.float64) - other.astype(np.float64)).max(initial=0.0)
    return float(gap / scale)


def weigh(job: Job) -> None:
    """Begin the record of each artifact with what its file alone tells."""
    job.artifacts = [
        _weighed(trial.artifact, job.graph_of(trial.artifact.format)) for trial in job.trials
    ]


def _weighed(artifact: Artifact, graph: ir.Model) -> ArtifactRecord:
    summary = summarize_quantization(graph)
    contents = contents_of(*artifact.files)
    return ArtifactRecord(
        name=artifact.path.name,
        runtime=runtime_for(artifact.path).NAME,
        files=tuple(file.name for file in artifact.files),
        size=measure_size(*artifact.files),
        interface=artifact.interface.to_json(),
        sha256=contents.sha256,
        operators=contents.operators,
        opset=contents.opset,
        weight_bytes=cost_of(graph).weight_bytes,
        integer_macs=summary.integer_macs,
        integer_weights=summary.integer_weights,
    )


def measure(job: Job) -> None:
    """Run every artifact, check it, and complete the records of the source and of each.

    Raises:
        EdgecError: ``ARTIFACT_MISMATCH`` when an artifact is wrong; a 6xx code when a runtime
            cannot load or run it.
    """
    worker, trials, samples = job.place.worker, job.trials, job.samples
    adapter = Adapter(source=job.source.interface, artifact=interface_of(job.graph))
    job.notebook.stage("evaluate")
    large = is_large(job.source.model)
    if large:
        job.notebook.note(_LARGE)
    floats = [job.reference] if job.pruned is None else [job.reference, job.pruned]
    entrants = [_float(job, adapter, path) for path in floats]
    entrants += [_entrant(job, trial, adapter) for trial in trials]
    entries = answers_of(entrants, samples, job.notebook, large=large)
    answered = entries[len(floats) :]
    truth, answers = entries[0].outputs, [found.outputs for found in answered]
    expected = entries[len(floats) - 1].outputs
    steps = _output_steps(job.graph, truth)
    by_step = is_quantized(job.graph)
    _check_answers(trials, expected, answers, steps, job.recipe, by_step=by_step)
    job.notebook.stage("measure")
    given = samples.first_sample(job.source.interface.inputs[0].concrete()[0])
    feeds = adapter.feeds(given)
    recipe = dataclasses.replace(job.recipe, latency_seconds=0) if large else job.recipe
    latencies: list[Latency] = []
    records = []
    for record, trial, entry in zip(job.artifacts, trials, answered, strict=True):
        session, found = entry.session, entry.outputs
        baseline, own, ratio = _time(worker, trial, session, (given, feeds), recipe)
        latencies += [baseline] if baseline else []
        records.append(
            dataclasses.replace(
                record,
                delegated=_delegated(session),
                latency=own,
                ratio=ratio,
                accuracy=_accuracy(samples, truth, found),
                parity=_parity(answers[0], found, steps) if found is not answers[0] else (),
                memory=_memory(trial, session, feeds) if not large else None,
            )
        )
    job.record = dataclasses.replace(job.record, latency=tuple(latencies))
    job.artifacts = records


def _float(job: Job, adapter: Adapter, path: Path) -> Entrant:
    """Return a float model: the source, whose answers are the truth, or what pruning left of it."""
    return Entrant(
        open=partial(job.place.worker.open, "ort", path),
        feeds=lambda batch: batch,
        outputs=lambda outputs: real_outputs(outputs, adapter.source),
    )


def _entrant(job: Job, trial: Trial, adapter: Adapter) -> Entrant:
    return Entrant(
        open=partial(_open, job.place.worker, trial.artifact),
        feeds=adapter.feeds,
        outputs=adapter.outputs,
    )


def _memory(trial: Trial, session: RemoteSession, feeds: Batch) -> Memory:
    return measure_memory(session.runtime, trial.artifact.path, feeds)


def _open(worker: Worker, artifact: Artifact, options: SessionOptions) -> RemoteSession:
    """Load *artifact* in its runtime and hold its interface against the contract."""
    session = worker.open(runtime_for(artifact.path).NAME, artifact.path, options)
    for kind in ("inputs", "outputs"):
        want, have = getattr(artifact.interface, kind), getattr(session.interface, kind)
        same = sorted((s.name, s.dtype) for s in want) == sorted((s.name, s.dtype) for s in have)
        by_name = {spec.name: spec for spec in want}
        if not same or any(not by_name[s.name].accepts(s.concrete()) for s in have):
            raise EdgecError(
                Code.ARTIFACT_MISMATCH,
                f"{kind} became {', '.join(map(str, have))}",
                where=artifact.path.name,
                expected=", ".join(map(str, want)),
            )
    return session


def _delegated(session: RemoteSession) -> Delegated | None:
    split = session.delegation
    return None if split is None else Delegated(**dataclasses.asdict(split))


def _output_steps(model: ir.Model, truth: Outputs) -> dict[str, float]:
    """Return one step of each float output: its integer scale, or 1/255 of its range."""
    steps = {}
    for value in model.graph.outputs:
        params, name = _grid_behind(value), value.name or ""
        array = truth[name]
        if params is not None:
            steps[name] = params.scale[0]
        elif array.dtype.kind == "f":
            steps[name] = float(np.ptp(array)) / 255 or 1.0
    return steps


def _grid_behind(value: ir.Value) -> QuantParams | None:
    """Return the integers that an output is, or was before it was converted and moved."""
    while (params := quant_of(value)) is None:
        node = value.producer()
        source = None if node is None else node.inputs[0]
        if node is None or source is None or not (is_convert(node) or node.op_type == "Transpose"):
            return None
        value = source
    return params


def _check_answers(
    trials: Sequence[Trial],
    expected: Outputs,
    answers: Sequence[Outputs],
    steps: Mapping[str, float],
    recipe: Recipe,
    *,
    by_step: bool,
) -> None:
    """Refuse artifacts that are wrong: NaN, other values than the graph's, runtimes apart.

    Integer models are judged *by_step* of their scales, others by their range.
    """
    for trial, found in zip(trials, answers, strict=True):
        for name, step in steps.items():
            if not np.isfinite(found[name]).all():
                raise _mismatch(trial, name, "holds NaN or infinity", "finite values")
            if by_step:
                gap = _mean_steps(answers[0][name], found[name], step)
                limit, unit = LARGEST_MEAN_LSB, "steps of its scale from the first artifact"
            else:
                gap = relative_difference(expected[name], found[name])
                limit = FP16_TOLERANCE if recipe.quantize is Scheme.FP16 else FLOAT_TOLERANCE
                unit = "of its range from the float graph"
            if not gap <= limit:
                raise _mismatch(trial, name, f"lies {gap:.3g} {unit}", f"at most {limit:g}")


def _mismatch(trial: Trial, output: str, what: str, expected: str) -> EdgecError:
    return EdgecError(
        Code.ARTIFACT_MISMATCH,
        f"output '{output}' {what}",
        where=trial.artifact.path.name,
        expected=expected,
        hint="leave this format out of --to, and report this with `edgec inspect MODEL`",
    )


def _time(
    worker: Worker,
    trial: Trial,
    session: RemoteSession,
    feeds: tuple[Batch, Batch],
    recipe: Recipe,
) -> tuple[Latency | None, Latency | None, LatencyRatio | None]:
    """Time the artifact against the float model in the same runtime; *feeds* are one for each."""
    if recipe.latency_seconds == 0 or trial.baseline is None:
        return None, None, None
    float_session = worker.open(session.runtime, trial.baseline)
    entries = [
        Entry(label=f"float in {session.runtime}", session=float_session, feeds=feeds[0]),
        Entry(label=trial.artifact.path.name, session=session, feeds=feeds[1]),
    ]
    options = LatencyOptions(budget_s=recipe.latency_seconds)
    baseline, own = time_models(worker, entries, options)
    float_session.close()
    return baseline, own, compare(baseline, own)


def _accuracy(samples: Samples, truth: Outputs, found: Outputs) -> Accuracy | None:
    """Judge the first output, the one that labels speak of."""
    if samples.metric is None:
        return None
    name = next(iter(truth))
    return compare_accuracy(samples.metric, truth[name], found[name], samples.labels)


def _parity(first: Outputs, other: Outputs, steps: Mapping[str, float]) -> tuple[Parity, ...]:
    return tuple(parity(name, first[name], other[name], step) for name, step in steps.items())
