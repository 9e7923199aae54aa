"""The export stage: ask every format first, then write artifacts and their float baselines."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import onnx_ir as ir

from compressor.artifact import Artifact, Trial, manifest_of, summarize_quantization
from compressor.errors import Code, EdgecError
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType
from compressor.job import Job
from compressor.recipe import EXPORTERS, Batch, Recipe, Scheme
from compressor.usage import usage_of
from exporters.protocol import ExportOptions, WeightType, raise_refusals


def export_options(recipe: Recipe) -> ExportOptions:
    """Return the exporters' options that *recipe* asks for, without a manifest."""
    half = recipe.quantize is Scheme.FP16
    return ExportOptions(
        activations=IntegerType(recipe.onnx_activations),
        open_batch=recipe.batch is Batch.ANY,
        float_weights=WeightType.FLOAT16 if half else WeightType.FLOAT32,
        sparse_weights=recipe.sparsity is not None,
    )


def check_lowerings(model: ir.Model, recipe: Recipe) -> None:
    """Raise ``NO_LOWERING`` when a requested format cannot hold *model*, before time is spent."""
    for name in recipe.to:
        raise_refusals(EXPORTERS[name].check(model, export_options(recipe)), name)


def export(job: Job) -> None:
    """Write the working graph in each format, and the float source beside it as the baseline.

    Raises:
        EdgecError: ``NO_LOWERING``, ``FP16_OVERFLOW``, ``ARTIFACT_TOO_LARGE``.
    """
    job.notebook.stage("export")
    job.trials = [
        Trial(artifact=_artifact(job, name), baseline=_baseline(job, name))
        for name in job.recipe.to
    ]


def _artifact(job: Job, name: str) -> Artifact:
    """Write the graph of format *name*, with a manifest that speaks of that graph."""
    graph, usage = job.graph_of(name), usage_of(job.dataset)
    summary, interface = summarize_quantization(graph), interface_of(graph)
    manifest = manifest_of(job.recipe, job.source.fingerprint, summary, interface, usage)
    options = dataclasses.replace(export_options(job.recipe), manifest=manifest, usage=usage)
    return write_artifact(graph, name, job.place.output / "model", options)


def _baseline(job: Job, name: str) -> Path | None:
    """Return the float source in format *name*, None where no file of it is large enough."""
    if name == "onnx":
        return job.reference
    stem = job.place.scratch / "float"
    try:
        return write_artifact(job.source.model, name, stem, ExportOptions()).path
    except EdgecError as error:
        if error.code is Code.ARTIFACT_TOO_LARGE:
            return None
        raise


def write_artifact(model: ir.Model, name: str, stem: Path, options: ExportOptions) -> Artifact:
    """Write *model* in format *name* to *stem* with the format's suffix."""
    exporter = EXPORTERS[name]
    files = exporter.save(model, options, stem.with_suffix(exporter.SUFFIX))
    return Artifact(path=files[0], files=files, format=name, interface=interface_of(model))
