"""``edgec inspect``: what a model is made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("model")
@click.option("--weights", type=click.Path(path_type=Path), help="Checkpoint for file.py:factory.")
@click.option("--input-shape", multiple=True, metavar="NAME=1,3,224,224", help="Shape of an input.")
@click.option("--nodes", is_flag=True, help="List every node.")
@click.option("--prunable", is_flag=True, help="List what may be pruned, and why the rest may not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def command(**options: Any) -> None:  # noqa: ANN401 - click passes what the decorators declare
    """Show MODEL's interface, operators, shapes, MACs, parameters and quantization.

    The graph shown is the canonical one that edgec compiles, with constants and batch norm folded.
    """
    from compressor.analyses.anatomy import anatomy_of
    from compressor.cli._anatomy_text import anatomy_text
    from compressor.cli._prune_text import prunable_rows, prunable_text
    from compressor.ingest.options import IngestOptions, parse_input_shapes
    from compressor.source import read_source

    ingest = IngestOptions(
        weights=options["weights"], input_shapes=parse_input_shapes(options["input_shape"])
    )
    source = read_source(options["model"], ingest)
    anatomy = anatomy_of(source.model)
    dimensions = prunable_rows(source.model) if options["prunable"] else []
    if options["as_json"]:
        tree = {"name": source.name, "fingerprint": source.fingerprint, **anatomy.to_json()}
        more = {"prunable": dimensions} if options["prunable"] else {}
        click.echo(json.dumps(tree | more, indent=2))
        return
    click.echo(anatomy_text(source.name, anatomy, nodes=options["nodes"]), nl=False)
    if options["prunable"]:
        click.echo(f"\n{prunable_text(dimensions)}", nl=False)
