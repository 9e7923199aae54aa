"""The whole way of a model, from the file a user names to verified artifacts and a report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.gate.budget import Budget
from bench.records import ArtifactRecord, SourceRecord
from compressor.artifact import QuantizationSummary
from compressor.conclude import conclude
from compressor.data.description import Description
from compressor.dataset import Dataset, open_dataset
from compressor.errors import Code, EdgecError
from compressor.export import export
from compressor.gate import foresee
from compressor.ingest.options import IngestOptions
from compressor.intake import take_in
from compressor.job import Stage, workplace
from compressor.ledger import LedgerEntry
from compressor.limit import limit_drop
from compressor.measure import measure, weigh
from compressor.present import present
from compressor.progress import Progress, Silent
from compressor.prune import prune, sparsify
from compressor.quantize import calibrate, prepare, quantize
from compressor.recipe import Recipe, Scheme
from compressor.rollback import roll_back
from compressor.source import find_importer

STAGES: tuple[Stage, ...] = (
    prune,  # first: what follows need not know that the graph was ever larger
    sparsify,  # weights that went with channels need no zeros
    prepare,  # float rewrites that suit integers; before statistics, which are of their result
    calibrate,  # runs the float graph; nothing may change its values from here on
    quantize,  # annotates; the graph stays an ordinary float graph
    limit_drop,  # annotates anew, as often as it takes; before anything is written
    present,  # the interface asked for; last change, since samples so far came in the source's
    export,  # every format from the same annotations
    weigh,  # what needs no running: sizes, operators
    foresee,  # a budget that is missed for certain saves the time of measuring
    measure,  # runs what was written, and refuses what is wrong
    roll_back,  # last: needs the measurements; writes and measures again what is slower than float
)


@dataclass(frozen=True, kw_only=True)
class Compilation:
    """What a compilation made.

    Attributes:
        folder: the output folder, complete.
        source: the record of the source model.
        artifacts: the record of each artifact, in the order asked for.
        summary: what is integer and what is not.
        ledger: what each pass did.
        notes: what the user should know.
        report: the content of ``report.json``.
    """

    folder: Path
    source: SourceRecord
    artifacts: tuple[ArtifactRecord, ...]
    summary: QuantizationSummary
    ledger: tuple[LedgerEntry, ...]
    notes: tuple[str, ...]
    report: Mapping[str, Any]


def compile_model(
    model: str,
    *,
    output: Path,
    data: Path | Description | None = None,
    recipe: Recipe | None = None,
    ingest: IngestOptions | None = None,
    budgets: Sequence[Budget] = (),
    approve: Callable[[Mapping[str, Any]], None] | None = None,
    progress: Progress | None = None,
) -> Compilation:
    """Compile *model* into *output*: ingest, calibrate, quantize, export, verify, measure, report.

    Args:
        model: ``m.onnx``, ``m.tflite``, ``m.keras``, ``m.h5``, ``m.pt2``, a folder
            of a SavedModel or of transformers, or ``file.py:factory``.
        output: folder for the artifacts and ``report.json``; appears whole or not at all.
        data: ``.npz``, a folder of images, ``file.py:function`` or ``.toml``; needed for INT8 and
            for accuracy.
        recipe: what to do; INT8 to ONNX and TFLite by default.
        ingest: weights and input shapes that the source does not state.
        budgets: limits on what comes out; those that are missed for certain stop the compilation.
        approve: sees the report before anything appears under *output*, and raises to prevent it.
        progress: hears what is being done.

    Raises:
        EdgecError: with the code, what, where and what to try; nothing is written then.
    """
    recipe = recipe or Recipe()
    find_importer(model)  # what is wrong with the model's name is said before anything else
    dataset = _open_data(data, recipe)
    with workplace(output, model, progress or Silent()) as place:
        job = take_in(model, ingest, dataset, recipe, place)
        job.budgets = budgets
        for stage in STAGES:
            stage(job)
        report = conclude(job)
        if approve is not None:
            approve(report)
    return Compilation(
        folder=output,
        source=job.record,
        artifacts=tuple(job.artifacts),
        summary=job.summary,
        ledger=tuple(job.ledger),
        notes=tuple(place.notebook.notes),
        report=report,
    )


def _open_data(data: Path | Description | None, recipe: Recipe) -> Dataset | None:
    """Open the data; INT8 without any is refused before time is spent."""
    if data is not None:
        return open_dataset(data)
    if recipe.quantize is not Scheme.INT8:
        return None
    raise EdgecError(
        Code.DATA_REQUIRED,
        "static INT8 needs calibration data",
        where="--data",
        expected="an .npz, a folder of images, file.py:function, or a .toml that names one",
        hint="give --data DATA, or use --quantize fp16, which needs none",
    )
