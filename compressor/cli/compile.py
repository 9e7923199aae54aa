"""``edgec compile``: the main job."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from compressor.cli._recipe_options import given_settings, recipe_options


@click.command()
@click.argument("model")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Samples: .npz, image folder, file.py:function, or a .toml.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Output folder; MODEL's name with -edgec by default.",
)
@recipe_options
@click.option("--weights", type=click.Path(path_type=Path), help="Checkpoint for file.py:factory.")
@click.option("--input-shape", multiple=True, metavar="NAME=1,3,224,224", help="Shape of an input.")
@click.option("-v", "--verbose", is_flag=True, help="Show what every pass did.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(**options: Any) -> None:  # noqa: ANN401 - click passes what the decorators declare
    """Make MODEL small and fast, verify the result, and say what was gained and lost.

    MODEL is m.onnx, m.tflite, m.keras, m.h5, m.pt2, a folder of a SavedModel or of transformers,
    or file.py:factory.
    Writes model.onnx, model.tflite and report.json.
    """
    # numpy's BLAS spins on every core for matrices that one core does as fast.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bench.table import table_text
    from compressor.cli._console import ConsoleProgress
    from compressor.compile import compile_model
    from compressor.ingest.options import IngestOptions, parse_input_shapes
    from compressor.recipe import Recipe

    recipe = Recipe(**given_settings(options))
    model = options["model"]
    output = options["output"] or Path(f"{_stem(model)}-edgec")
    ingest = IngestOptions(
        weights=options["weights"], input_shapes=parse_input_shapes(options["input_shape"])
    )
    with ConsoleProgress(verbose=options["verbose"]) as progress:
        result = compile_model(
            model,
            output=output,
            data=options["data"],
            recipe=recipe,
            ingest=ingest,
            progress=progress,
        )
    if options["as_json"]:
        click.echo(json.dumps(result.report, indent=2))
    else:
        click.echo(table_text(result.source, result.artifacts), nl=False)
    click.echo(f"wrote {output}/", err=True)


def _stem(model: str) -> str:
    """Name the output after the file: ``net.onnx`` and ``net.py:build`` give ``net``."""
    return Path(model.rpartition(":")[0] or model).stem
