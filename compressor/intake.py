"""The first stage: read the model and the data, and refuse what cannot become an artifact."""

from __future__ import annotations

import dataclasses

from bench.records import SourceRecord
from bench.size import measure_size
from compressor.analyses.cost import cost_of
from compressor.analyses.quantized import is_quantized
from compressor.dataset import Dataset
from compressor.evaluation import check_range, quality_after_passes, samples_for
from compressor.export import check_lowerings, write_artifact
from compressor.ingest.options import IngestOptions
from compressor.job import Job, Workplace
from compressor.measure import check_ingest
from compressor.progress import Progress
from compressor.recipe import COMPUTING, Recipe, Scheme
from compressor.source import Source, read_source
from exporters.protocol import ExportOptions


def take_in(
    model: str,
    ingest: IngestOptions | None,
    dataset: Dataset | None,
    recipe: Recipe,
    place: Workplace,
) -> Job:
    """Return the job of compiling *model*: its canonical graph, checked against the file as given.

    Raises:
        EdgecError: a 2xx code for the model, 3xx for the data, ``NO_LOWERING`` for a format that
            cannot hold the model, ``PASS_BROKE_GRAPH`` when the canonical graph is wrong.
    """
    notebook, scratch = place.notebook, place.scratch
    notebook.stage("ingest")
    evaluate = quality_after_passes(dataset, recipe, scratch)
    source = read_source(model, ingest, observe=notebook.ran, evaluate=evaluate)
    for note in source.notes:
        notebook.note(note)
    recipe = _settled(recipe, source, notebook)
    if source.other_floats:
        kinds = " and ".join(source.other_floats)
        notebook.note(f"the model is written in {kinds}; it is compiled and judged in float32")
    reference = write_artifact(source.model, "onnx", scratch / "source", ExportOptions())
    samples = samples_for(source, dataset, recipe, notebook)
    check_ingest(place.worker, source, reference.path, samples)
    check_range(place.worker, reference.path, dataset, source.interface, notebook)
    check_lowerings(source.model, recipe)
    size = measure_size(*(source.files or reference.files))
    return Job(
        place=place,
        recipe=recipe,
        source=source,
        dataset=dataset,
        samples=samples,
        reference=reference.path,
        evaluate=evaluate,
        graph=source.model.clone(),
        ledger=list(source.ledger),
        record=SourceRecord(
            name=f"{source.name} (source)",
            size=size,
            weight_bytes=cost_of(source.model).weight_bytes,
        ),
    )


def _settled(recipe: Recipe, source: Source, progress: Progress) -> Recipe:
    """Return *recipe* without INT8 for a source that is integer already, and say so."""
    if recipe.quantize not in COMPUTING or not is_quantized(source.model):
        return recipe
    progress.note("the model is quantized already: its own scales are kept, nothing is calibrated")
    return dataclasses.replace(recipe, quantize=Scheme.NONE)
