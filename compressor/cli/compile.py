"""``edgec compile``: the main job."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click


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
@click.option("--quantize", default="int8", show_default=True, help="int8, fp16 or none.")
@click.option("--to", default="onnx,tflite", show_default=True, help="Formats to write.")
@click.option("--range-method", default="mse", show_default=True, help="minmax, percentile or mse.")
@click.option("--keep-float", multiple=True, metavar="NODE", help="Leave this node in float.")
@click.option(
    "--onnx-activations",
    default="uint8",
    show_default=True,
    help="8-bit type in ONNX files: uint8 is the faster on x86, int8 on Arm.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="Checkpoint for file.py:factory.")
@click.option("--input-shape", multiple=True, metavar="NAME=1,3,224,224", help="Shape of an input.")
@click.option(
    "--calib-samples", default=200, show_default=True, help="Most samples to calibrate on."
)
@click.option("--eval-samples", default=10_000, show_default=True, help="Most samples to judge by.")
@click.option(
    "--latency-seconds",
    default=2.0,
    show_default=True,
    help="Time to measure latency for, each runtime; 0 for none.",
)
@click.option("--ledger", default="cost", show_default=True, help="cost, or full for accuracy too.")
@click.option("-v", "--verbose", is_flag=True, help="Show what every pass did.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on stdout.")
def command(**options: Any) -> None:  # noqa: ANN401 - click passes what the decorators declare
    """Make MODEL small and fast, verify the result, and say what was gained and lost.

    MODEL is m.onnx, m.tflite, m.keras, m.h5, a SavedModel folder, m.pt2, or file.py:factory.
    Writes model.onnx, model.tflite and report.json.
    """
    # numpy's BLAS spins on every core for matrices that one core does as fast.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bench.table import table_text
    from compressor.cli._console import ConsoleProgress
    from compressor.compile import compile_model
    from compressor.ingest.options import IngestOptions, parse_input_shapes

    recipe = _recipe(options)
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


def _recipe(options: dict[str, Any]) -> Any:  # noqa: ANN401 - imported where it is used
    """Return the recipe that the options state; raises ``RECIPE_INVALID`` naming the option."""
    from compressor.recipe import LedgerDetail, Recipe, Scheme, parse_choice

    return Recipe(
        quantize=parse_choice(Scheme, "quantize", options["quantize"]),
        to=tuple(part.strip() for part in options["to"].split(",") if part.strip()),
        range_method=options["range_method"],
        keep_float=options["keep_float"],
        calib_samples=options["calib_samples"],
        eval_samples=options["eval_samples"],
        onnx_activations=options["onnx_activations"],
        latency_seconds=options["latency_seconds"],
        ledger=parse_choice(LedgerDetail, "ledger", options["ledger"]),
    )


def _stem(model: str) -> str:
    """Name the output after the file: ``net.onnx`` and ``net.py:build`` give ``net``."""
    return Path(model.rpartition(":")[0] or model).stem
