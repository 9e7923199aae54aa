"""``edgec bundle``: a zip for a bug report."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("edgec-bundle.zip"),
    show_default=True,
    help="The zip to write.",
)
@click.option("--with-model", is_flag=True, help="Put the artifacts and the whole report in, too.")
@click.option("--json", "as_json", is_flag=True, help="Print what it holds as JSON on stdout.")
def command(out: Path, output: Path, with_model: bool, as_json: bool) -> None:
    """Collect what a report of a defect needs from the compiled folder OUT.

    Holds settings, versions, operators, shapes, counts and times; no weights, samples or names of
    yours unless --with-model says so.
    """
    from compressor.bundle import write_bundle

    names = write_bundle(out, output, model=with_model)
    if as_json:
        click.echo(json.dumps({"output": str(output), "entries": list(names)}))
    click.echo(f"wrote {output} with {', '.join(names)}", err=True)
