"""``edgec compile``: the main job."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from compressor.cli._recipe_options import recipe_options


@click.command()
@click.argument("model", required=False)
@click.option(
    "--recipe",
    "file",
    type=click.Path(path_type=Path),
    help="Project file, such as edgec.toml; what the command line says goes before it.",
)
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
@click.option(
    "--locked", is_flag=True, help="Refuse anything else than what the recipe's lock file says."
)
@click.option("--print-after", multiple=True, metavar="PASS", help="Show the graph after PASS.")
@click.option("--print-changed", is_flag=True, help="Show what each pass changed in the graph.")
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
    from compressor.cli._graphs import Graphs, pass_names
    from compressor.cli._order import order_of
    from compressor.cli._prune_text import pruned_text
    from compressor.compile import compile_model

    order = order_of(options)
    graphs = Graphs(pass_names(options["print_after"]), changed=options["print_changed"])
    with ConsoleProgress(verbose=options["verbose"], graphs=graphs) as progress:
        result = compile_model(
            order.model,
            output=order.output,
            data=order.data,
            recipe=order.recipe,
            ingest=order.ingest,
            budgets=order.budgets,
            approve=order.approve,
            progress=progress,
        )
    order.keep_lock(result.report)
    if options["as_json"]:
        click.echo(json.dumps(result.report, indent=2))
    else:
        click.echo(table_text(result.source, result.artifacts), nl=False)
        if result.report["pruning"] is not None:
            click.echo(f"\n{pruned_text(result.report['pruning'])}", nl=False)
    click.echo(f"wrote {order.output}/", err=True)
