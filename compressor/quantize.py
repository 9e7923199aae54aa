"""The quantization stage: watch activations, decide parameters, round weights."""

from __future__ import annotations

import math

import onnx_ir as ir

from compressor.calibration.collect import RunnerFactory, collect
from compressor.calibration.histogram import HistogramObserver
from compressor.calibration.table import CalibrationTable
from compressor.catalog import nearest
from compressor.dataset import Dataset
from compressor.errors import Code, EdgecError
from compressor.ir.op_facts import Role, facts_of
from compressor.ledger import LedgerEntry
from compressor.passes.protocol import Pass, PassContext
from compressor.passes.quantize_static import QuantizeStatic, calibration_targets
from compressor.passes.round_weights import RoundWeights
from compressor.pipeline import Evaluate, run_passes
from compressor.progress import Progress
from compressor.recipe import Recipe
from compressor.source import Source

_BATCH_BYTES = 48 << 20
_LARGEST_BATCH = 16


def calibrate(
    source: Source,
    dataset: Dataset,
    recipe: Recipe,
    *,
    make_runner: RunnerFactory,
    progress: Progress,
) -> CalibrationTable:
    """Run calibration samples through the float *source* and return what INT8 needs to know.

    Raises:
        EdgecError: a 3xx code for unusable data, ``FLOAT_NOT_FINITE`` for an overflowing model.
    """
    model, keep_float = source.model, frozenset(recipe.keep_float)
    _check_names(model, recipe.keep_float)
    names = calibration_targets(model, keep_float)
    batch = _batch_size(model, names)
    samples = dataset.calibration(source.interface, recipe.calib_samples, batch=batch)
    for remark in (*dataset.notes(source.interface), *samples.findings):
        progress.note(str(remark))
    layers = [n for n in model.graph if facts_of(n).role is Role.COMPUTE]
    return collect(
        model,
        names,
        samples,
        make_runner=make_runner,
        make_observer=HistogramObserver,
        layers=layers if recipe.round_weights else (),
        progress=lambda count: progress.done(count, len(samples)),
    )


def quantize_int8(
    graph: ir.Model,
    source: Source,
    table: CalibrationTable,
    recipe: Recipe,
    *,
    progress: Progress,
    evaluate: Evaluate | None = None,
) -> list[LedgerEntry]:
    """Annotate *graph*, a copy of the source's, as static INT8; return what the passes did."""
    steps: list[Pass] = [
        QuantizeStatic(range_method=recipe.range_method, keep_float=frozenset(recipe.keep_float)),
    ]
    if recipe.round_weights:
        steps.append(RoundWeights())  # needs the grids that the pass before has fixed
    return run_passes(
        graph,
        steps,
        interface=source.interface,
        context=PassContext(table=table),
        observe=progress.ran,
        evaluate=evaluate,
    )


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


def _batch_size(model: ir.Model, names: list[str]) -> int:
    """Samples per run so that the watched activations of a batch stay within bounds."""
    wanted = set(names)
    values = (v for node in model.graph for v in node.outputs if v.name in wanted)
    elements = sum(
        math.prod(dim if isinstance(dim, int) else 1 for dim in value.shape or ())
        for value in values
    )
    return max(1, min(_LARGEST_BATCH, _BATCH_BYTES // max(1, 4 * elements)))
