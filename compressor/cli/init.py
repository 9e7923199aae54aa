"""``edgec init``: write a commented project file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from compressor.errors import Code, EdgecError


@click.command()
@click.argument("model")
@click.option("--data", type=click.Path(path_type=Path), help="Samples, as for `edgec compile`.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("edgec.toml"),
    show_default=True,
    help="The file to write.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the file's name as JSON on stdout.")
def command(model: str, data: Path | None, output: Path, as_json: bool) -> None:
    """Write a commented edgec.toml for MODEL that compiles and gates as it stands."""
    from compressor.files import write_atomically
    from compressor.project_text import project_text
    from compressor.source import find_importer

    find_importer(model)
    if output.exists():
        raise EdgecError(
            Code.OUTPUT_EXISTS,
            f"'{output}' is there already",
            where=str(output),
            hint="choose another file with -o, or remove it",
        )
    write_atomically(output, project_text(model, data, output.parent).encode())
    if as_json:
        click.echo(json.dumps({"output": str(output)}))
    click.echo(f"wrote {output}; next: edgec compile --recipe {output}", err=True)
