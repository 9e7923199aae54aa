"""The quantization stages: make the graph ready, watch activations, decide parameters."""

from __future__ import annotations

import onnx_ir as ir

from compressor.analyses.channel_sites import channel_axis, channel_sites
from compressor.calibration.batching import LARGEST_BATCH, batch_size
from compressor.calibration.channels import collect_channels
from compressor.calibration.collect import collect
from compressor.calibration.histogram import HistogramObserver
from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from compressor.ir.op_facts import Role, facts_of
from compressor.job import Job
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.migrate_scales import MigrateScales
from compressor.passes.protocol import Pass, PassContext
from compressor.passes.quantize_dynamic import QuantizeDynamic
from compressor.passes.quantize_static import QuantizeStatic, calibration_targets
from compressor.passes.quantize_weights import QuantizeWeights
from compressor.passes.round_weights import RoundWeights
from compressor.pipeline import run_passes
from compressor.recipe import COMPUTING, Scheme

_PREPARING_SAMPLES = 48

PREPARE: tuple[Pass, ...] = (
    MigrateScales(),  # the only one so far; exact, so that calibration may follow
    InferShapes(),  # of the multiplications that it inserts
)


def prepare(job: Job) -> None:
    """Rewrite the float graph so that its numbers suit integers; its answers stay the same."""
    if job.recipe.quantize in COMPUTING:
        job.plain = job.graph.clone()
    if not _is_calibrated(job) or job.dataset is None:
        return
    layers = [layer for site in channel_sites(job.graph.graph) for layer in site.layers]
    axes = {v.name or "": channel_axis(n) for n in layers if (v := n.inputs[0]) is not None}
    if axes:
        job.notebook.stage("prepare")
        batch = batch_size(job.graph, axes, most=LARGEST_BATCH)
        count = min(job.recipe.calib_samples, _PREPARING_SAMPLES)
        samples = job.dataset.calibration(job.source.interface, count, batch=batch)
        job.channels = collect_channels(job.graph, axes, samples, make_runner=job.make_runner)
        job.run(PREPARE)


def calibrate(job: Job) -> None:
    """Run calibration samples through the float graph and keep what quantization needs to know.

    Raises:
        EdgecError: a 3xx code for unusable data, ``FLOAT_NOT_FINITE`` for an overflowing model.
    """
    if not _is_calibrated(job) or job.dataset is None:
        return
    job.notebook.stage("calibrate")
    recipe, model, interface = job.recipe, job.graph, job.source.interface
    _check_names(model, recipe.keep_float)
    names = calibration_targets(model, frozenset(recipe.keep_float))
    batch = batch_size(model, names, most=LARGEST_BATCH)
    samples = job.dataset.calibration(interface, recipe.calib_samples, batch=batch)
    for remark in (*job.dataset.notes(interface), *samples.findings):
        job.notebook.note(str(remark))
    layers = [n for n in model.graph if facts_of(n).role is Role.COMPUTE]
    job.table = collect(
        model,
        names,
        samples,
        make_runner=job.make_runner,
        make_observer=HistogramObserver,
        layers=layers if recipe.round_weights else (),
        progress=lambda count: job.notebook.done(count, len(samples)),
    )


def quantize(job: Job) -> None:
    """Annotate the working graph as the recipe's scheme says.

    Raises:
        EdgecError: ``RECIPE_INVALID`` for a node to keep in float that does not exist.
    """
    keep_float = frozenset(job.recipe.keep_float)
    steps = steps_of(job, job.recipe.quantize, keep_float)
    if steps:
        job.notebook.stage("quantize")
        _check_names(job.graph, job.recipe.keep_float)
        job.prepared = job.graph.clone()
        job.run(steps)


def annotated(job: Job, keep_float: frozenset[str], *, rounded: bool = True) -> ir.Model:
    """Return the prepared graph as static INT8 with the nodes *keep_float* in float.

    Weights that are not *rounded* by their effect cost less time and compute as fast.
    """
    if job.prepared is None:
        raise ValueError("nothing was calibrated")
    model = job.prepared.clone()
    wanted = keep_float | job.keep_float | frozenset(job.recipe.keep_float)
    steps = steps_of(job, Scheme.INT8, wanted)
    steps = steps if rounded else [s for s in steps if not isinstance(s, RoundWeights)]
    run_passes(model, steps, interface=job.source.interface, context=PassContext(table=job.table))
    return model


def steps_of(job: Job, scheme: Scheme, keep_float: frozenset[str]) -> list[Pass]:
    """Return the passes of *scheme*; none for float, or without statistics."""
    recipe = job.recipe
    if scheme is Scheme.INT8_WEIGHTS:
        return [QuantizeWeights(keep_float=keep_float)]
    if scheme is Scheme.INT8_DYNAMIC:
        return [QuantizeDynamic(keep_float=keep_float)]
    if scheme is not Scheme.INT8 or job.table is None:
        return []
    steps: list[Pass] = [QuantizeStatic(range_method=recipe.range_method, keep_float=keep_float)]
    if recipe.round_weights:
        steps.append(RoundWeights())  # needs the grids that the pass before has fixed
    return steps


def _is_calibrated(job: Job) -> bool:
    return job.recipe.quantize is Scheme.INT8 and job.dataset is not None


def _check_names(model: ir.Model, keep_float: tuple[str, ...]) -> None:
    """Raise ``RECIPE_INVALID`` for a node that does not exist."""
    known = [node.name or "" for node in model.graph]
    for name in keep_float:
        if name not in known:
            raise EdgecError(
                Code.RECIPE_INVALID,
                f"the canonical graph has no node '{name}'",
                where="--keep-float",
                expected=nearest(name, known),
                hint="`edgec inspect MODEL --nodes` lists them",
            )
