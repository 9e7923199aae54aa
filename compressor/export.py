"""The export stage: ask every format first, then write artifacts and their float baselines."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.artifact import Artifact
from compressor.files import write_atomically
from compressor.ir.interface import interface_of
from compressor.ir.quant import IntegerType
from compressor.measure import Trial
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


def export_artifacts(
    source: ir.Model,
    graph: ir.Model,
    options: ExportOptions,
    formats: tuple[str, ...],
    *,
    folder: Path,
    scratch: Path,
) -> list[Trial]:
    """Write *graph* in each format into *folder*, and the float *source* beside it in *scratch*.

    Raises:
        EdgecError: ``NO_LOWERING`` before any file is written, ``FP16_OVERFLOW``.
    """
    contents = {name: EXPORTERS[name].write(graph, options) for name in formats}
    trials = []
    for name, content in contents.items():
        baseline = write_artifact(source, name, scratch / "float", ExportOptions())
        artifact = _place(content, name, folder / "model", graph)
        trials.append(Trial(artifact=artifact, baseline=baseline.path))
    return trials


def write_artifact(model: ir.Model, name: str, stem: Path, options: ExportOptions) -> Artifact:
    """Write *model* in format *name* to *stem* with the format's suffix."""
    return _place(EXPORTERS[name].write(model, options), name, stem, model)


def _place(content: bytes, name: str, stem: Path, model: ir.Model) -> Artifact:
    path = stem.with_suffix(EXPORTERS[name].SUFFIX)
    write_atomically(path, content)
    return Artifact(path=path, format=name, interface=interface_of(model))
