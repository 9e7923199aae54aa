"""The export stage: ask every format first, then write artifacts and their float baselines."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import onnx_ir as ir

from compressor.artifact import Artifact, Trial, manifest_of
from compressor.files import write_atomically
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType
from compressor.job import Job
from compressor.recipe import EXPORTERS, Recipe, Scheme
from exporters.protocol import ExportOptions, WeightType, raise_refusals


def export_options(recipe: Recipe) -> ExportOptions:
    """Return the exporters' options that *recipe* asks for, without a manifest."""
    half = recipe.quantize is Scheme.FP16
    return ExportOptions(
        activations=IntegerType(recipe.onnx_activations),
        float_weights=WeightType.FLOAT16 if half else WeightType.FLOAT32,
    )


def check_lowerings(model: ir.Model, recipe: Recipe) -> None:
    """Raise ``NO_LOWERING`` when a requested format cannot hold *model*, before time is spent."""
    for name in recipe.to:
        raise_refusals(EXPORTERS[name].check(model, export_options(recipe)), name)


def export(job: Job) -> None:
    """Write the working graph in each format, and the float source beside it as the baseline.

    Raises:
        EdgecError: ``NO_LOWERING`` before any file is written, ``FP16_OVERFLOW``.
    """
    job.notebook.stage("export")
    manifest = manifest_of(job.recipe, job.source.fingerprint, job.summary)
    options = dataclasses.replace(export_options(job.recipe), manifest=manifest)
    contents = {name: EXPORTERS[name].write(job.graph, options) for name in job.recipe.to}
    trials = []
    for name, content in contents.items():
        stem = job.place.scratch / "float"
        baseline = write_artifact(job.source.model, name, stem, ExportOptions())
        artifact = _place(content, name, job.place.output / "model", job.graph)
        trials.append(Trial(artifact=artifact, baseline=baseline.path))
    job.trials = trials


def write_artifact(model: ir.Model, name: str, stem: Path, options: ExportOptions) -> Artifact:
    """Write *model* in format *name* to *stem* with the format's suffix."""
    return _place(EXPORTERS[name].write(model, options), name, stem, model)


def _place(content: bytes, name: str, stem: Path, model: ir.Model) -> Artifact:
    exporter = EXPORTERS[name]
    path = stem.with_suffix(exporter.SUFFIX)
    write_atomically(path, content)
    for suffix, companion in exporter.companions(content).items():
        write_atomically(stem.with_suffix(suffix), companion)
    return Artifact(path=path, format=name, interface=interface_of(model))
