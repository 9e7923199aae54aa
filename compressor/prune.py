"""The pruning stage: decide what goes, take it out, let the rest make up for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import onnx_ir as ir

from compressor.analyses.cost import cost_of
from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.analyses.quantized import is_quantized
from compressor.calibration.batching import batch_size
from compressor.errors import Code, EdgecError
from compressor.export import write_artifact
from compressor.ir.fingerprint import fingerprint
from compressor.job import Job
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.remove_channels import RemoveChannels
from compressor.passes.sparsify import Sparsify
from compressor.pruning.budget import Allocation, Measure
from compressor.pruning.evidence import Evidence
from compressor.pruning.prune import IMPORTANCE, PruneSettings, moments_table, plan_pruning
from compressor.pruning.recover import Recover
from compressor.pruning.summary import PruneSummary, plan_text, read_plan, rows_of
from compressor.pruning.waves import waves_of
from exporters.protocol import ExportOptions
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session

_MOST_MACS = 100_000_000_000  # of running samples once: large models are pruned by fewer
_FEWEST_SAMPLES = 96
_TRIAL_SAMPLES = 256
_LARGEST_BATCH = 128
_TIMED_RUNS = 40
_BY_CLASS = ("top1", "top5", "auc", "f1")


def sparsify(job: Job) -> None:
    """Set weights of the working graph to zero as the recipe says."""
    recipe = job.recipe
    if recipe.sparsity is None:
        return
    _refuse_quantized(job, "--sparsity")
    job.notebook.stage("sparsify")
    step, evidence = _sparsity(job), _evidence(job)
    if evidence is not None:
        job.table = moments_table(job.graph, evidence)
    job.run([step])
    job.table = None
    _expect(job)
    job.notebook.note(
        f"sparsity {recipe.sparsity}: the TFLite file stores what is not zero, for a smaller "
        "download; inference takes as long as with all weights"
    )


def _sparsity(job: Job) -> Sparsify:
    uniform = job.recipe.prune_allocation is Allocation.UNIFORM
    return Sparsify(sparsity=job.recipe.sparsity, per_layer=uniform)


def _refuse_quantized(job: Job, option: str) -> None:
    if is_quantized(job.graph):
        raise EdgecError(
            Code.RECIPE_INVALID,
            "the model is quantized already, which fixes the weights that pruning would change",
            where=option,
            expected="a float model",
            hint="prune the float model and quantize it in the same run",
        )


def prune(job: Job) -> None:
    """Shrink the working graph as the recipe says; keep the plan beside the artifacts.

    Raises:
        EdgecError: ``PRUNE_BUDGET_OUT_OF_REACH``, ``PRUNE_PLAN_MISMATCH``, or ``RECIPE_INVALID``
            for a model that is quantized already.
    """
    recipe = job.recipe
    if recipe.prune is None and not recipe.prune_plan:
        return
    _refuse_quantized(job, "--prune")
    job.notebook.stage("prune")
    dense, mark = job.graph.clone(), fingerprint(job.graph)
    evidence = _evidence(job)
    plan = _plan(job, evidence, mark)
    coupling = couple(job.graph)
    kept = coupling.kept(coupling.removed(plan.units(coupling)))
    job.run([RemoveChannels(plan=plan), InferShapes()])
    counts: dict[str, int] = {}
    if evidence is not None:
        job.notebook.stage("recover")
        progress = job.notebook.done
        job.run([Recover(dense=dense, kept=kept, evidence=evidence, progress=progress)])
        counts = dict(job.ledger[-1].changes.counts)
    job.pruning = PruneSummary(
        plan=plan,
        fingerprint=mark,
        rows=rows_of(coupling, plan, str(recipe.prune or "as the plan says")),
        before=cost_of(dense),
        after=cost_of(job.graph),
        recovery=counts,
    )
    (job.place.output / "prune_plan.json").write_text(plan_text(plan, mark), encoding="utf-8")
    _expect(job)
    _tell(job, job.pruning)


def _expect(job: Job) -> None:
    """Keep the float graph as it now is: from here on, artifacts must answer like it."""
    path = job.place.scratch / "pruned"
    job.pruned = write_artifact(job.graph, "onnx", path, ExportOptions()).path


def _plan(job: Job, evidence: Evidence | None, mark: str) -> Plan:
    """Return the plan of the recipe's file, or one that meets its budget."""
    recipe = job.recipe
    if recipe.prune is None:
        return read_plan(Path(recipe.prune_plan), mark)
    importance = recipe.prune_importance
    if evidence is None and IMPORTANCE[importance].NEEDS_MOMENTS:
        job.notebook.note("no --data: pruned by the size of weights alone, nothing makes up for it")
        importance = "l2"
    settings = PruneSettings(
        budget=recipe.prune,
        importance=importance,
        allocation=recipe.prune_allocation,
        align=recipe.prune_align,
    )
    latency = _latency(job) if recipe.prune.measure is Measure.LATENCY else None
    return plan_pruning(job.graph, settings, evidence, latency=latency, progress=job.notebook.done)


def _evidence(job: Job) -> Evidence | None:
    """Return samples to prune by, fewer for a model that takes longer to run; None without data."""
    if job.dataset is None:
        return None
    model, interface = job.graph, job.source.interface
    affordable = _MOST_MACS // max(cost_of(model).macs, 1)
    limit = min(job.recipe.prune_samples, max(affordable, _FEWEST_SAMPLES))
    watched = {name for wave in waves_of(model) for task in wave for name in (task.target,)}
    batch = batch_size(model, watched, most=_LARGEST_BATCH)
    samples = job.dataset.calibration(interface, limit, batch=batch)
    for remark in (*job.dataset.notes(interface), *samples.findings):
        job.notebook.note(str(remark))
    trial = job.dataset.calibration(interface, min(limit, _TRIAL_SAMPLES), batch=batch)
    metric = job.samples.metric
    return Evidence(
        batches=samples,
        trial=list(trial),
        count=len(samples),
        make_runner=job.make_runner,
        classifies=metric is not None and metric.name in _BY_CLASS,
    )


def _latency(job: Job) -> Callable[[ir.Model], float]:
    """Return the function that times a float graph in ONNX Runtime, one thread, in seconds."""
    feeds = job.samples.first_sample()

    def measure(model: ir.Model) -> float:
        path = write_artifact(model, "onnx", job.place.scratch / "timed", ExportOptions()).path
        session = open_session("ort", path, SessionOptions(threads=1))
        times = []
        for _ in range(_TIMED_RUNS):
            start = time.perf_counter()
            session.run(feeds)
            times.append(time.perf_counter() - start)
        session.close()
        return statistics.median(times)

    return measure


def _tell(job: Job, summary: PruneSummary) -> None:
    macs = summary.after.macs / max(summary.before.macs, 1)
    parameters = summary.after.parameters / max(summary.before.parameters, 1)
    job.notebook.note(
        f"pruned: {macs:.1%} of the MACs and {parameters:.1%} of the parameters are left"
    )
