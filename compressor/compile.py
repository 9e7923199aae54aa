"""The whole way of a model, from the file a user names to verified artifacts and a report."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.environment import environment
from bench.records import ArtifactRecord, SourceRecord
from bench.report import report_json, report_text
from bench.size import measure_size
from compressor.analyses.quantized import is_quantized
from compressor.artifact import QuantizationSummary, manifest_of, summarize_quantization
from compressor.dataset import Dataset, open_dataset
from compressor.errors import Code, EdgecError
from compressor.evaluation import check_range, quality_after_passes, samples_for
from compressor.export import check_lowerings, export_artifacts, export_options, write_artifact
from compressor.files import OutputFolder
from compressor.ingest.options import IngestOptions
from compressor.ledger import LedgerEntry
from compressor.measure import check_ingest, measure
from compressor.ort_runner import runner_factory
from compressor.progress import Notebook, Progress, Silent
from compressor.quantize import calibrate, quantize_int8
from compressor.recipe import Recipe, Scheme
from compressor.remarks import remarks
from compressor.source import Source, find_importer, read_source
from exporters.protocol import ExportOptions
from runtimes.isolate import Worker


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
    data: Path | None = None,
    recipe: Recipe | None = None,
    ingest: IngestOptions | None = None,
    progress: Progress | None = None,
) -> Compilation:
    """Compile *model* into *output*: ingest, calibrate, quantize, export, verify, measure, report.

    Args:
        model: ``m.onnx``, ``m.tflite``, ``m.keras``, ``m.h5``, a SavedModel folder, ``m.pt2`` or
            ``file.py:factory``.
        output: folder for the artifacts and ``report.json``; appears whole or not at all.
        data: ``.npz``, a folder of images, ``file.py:function`` or ``.toml``; needed for INT8 and
            for accuracy.
        recipe: what to do; INT8 to ONNX and TFLite by default.
        ingest: weights and input shapes that the source does not state.
        progress: hears what is being done.

    Raises:
        EdgecError: with the code, what, where and what to try; nothing is written then.
    """
    recipe, notebook = recipe or Recipe(), Notebook(progress or Silent())
    find_importer(model)  # what is wrong with the model's name is said before anything else
    dataset = _open_data(data, recipe)
    with (
        OutputFolder(output, sources=[Path(model)]) as folder,
        tempfile.TemporaryDirectory(prefix="edgec-") as temporary,
        Worker() as worker,
    ):
        scratch = Path(temporary)
        notebook.stage("ingest")
        evaluate = quality_after_passes(dataset, recipe, scratch)
        source = read_source(model, ingest, observe=notebook.ran, evaluate=evaluate)
        recipe = _settled(recipe, source, notebook)
        if source.other_floats:
            kinds = " and ".join(source.other_floats)
            notebook.note(f"the model is written in {kinds}; it is compiled and judged in float32")
        reference = write_artifact(source.model, "onnx", scratch / "source", ExportOptions())
        samples = samples_for(source, dataset, recipe, notebook)
        check_ingest(worker, source, reference.path, samples)
        check_range(worker, reference.path, dataset, source.interface, notebook)
        check_lowerings(source.model, recipe)

        graph, ledger = source.model.clone(), list(source.ledger)
        if recipe.quantize is Scheme.INT8 and dataset is not None:
            notebook.stage("calibrate")
            make_runner = runner_factory(scratch)
            table = calibrate(source, dataset, recipe, make_runner=make_runner, progress=notebook)
            notebook.stage("quantize")
            ledger += quantize_int8(
                graph, source, table, recipe, progress=notebook, evaluate=evaluate
            )
        summary = summarize_quantization(graph)

        notebook.stage("export")
        manifest = manifest_of(recipe, source.fingerprint, summary)
        options = dataclasses.replace(export_options(recipe), manifest=manifest)
        trials = export_artifacts(
            source.model, graph, options, recipe.to, folder=folder.building, scratch=scratch
        )
        size = measure_size(source.path or reference.path)
        record, artifacts = measure(
            worker,
            SourceRecord(name=f"{source.name} (source)", size=size),
            reference.path,
            trials,
            samples,
            recipe=recipe,
            quantized=graph,
            progress=notebook,
        )
        for text in remarks(artifacts, summary, recipe):
            notebook.note(text)
        metadata = {
            "model": {"fingerprint": source.fingerprint, "interface": source.interface.to_json()},
            "data": _provenance(dataset),
            "recipe": recipe.to_json(),
            "quantization": summary.to_json(),
            "ledger": [entry.to_json() for entry in ledger],
            "notes": notebook.notes,
        }
        report = report_json(record, artifacts, environment(), metadata)
        (folder.building / "report.json").write_text(report_text(report))
    return Compilation(
        folder=output,
        source=record,
        artifacts=tuple(artifacts),
        summary=summary,
        ledger=tuple(ledger),
        notes=tuple(notebook.notes),
        report=report,
    )


def _open_data(data: Path | None, recipe: Recipe) -> Dataset | None:
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


def _settled(recipe: Recipe, source: Source, progress: Progress) -> Recipe:
    """Return *recipe* without INT8 for a source that is integer already, and say so."""
    if recipe.quantize is not Scheme.INT8 or not is_quantized(source.model):
        return recipe
    progress.note("the model is quantized already: its own scales are kept, nothing is calibrated")
    return dataclasses.replace(recipe, quantize=Scheme.NONE)


def _provenance(dataset: Dataset | None) -> dict[str, str] | None:
    return None if dataset is None else {"name": dataset.path.name, "sha256": dataset.digest()}
