"""``edgec baseline``: set artifacts aside, to hold later ones against."""

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
    default=Path("baseline"),
    show_default=True,
    help="Folder of the baseline.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was kept as JSON on stdout.")
def command(out: Path, output: Path, as_json: bool) -> None:
    """Keep the artifacts and the report in OUT as the baseline of later gates.

    `edgec gate OUT --baseline FOLDER` then knows limits such as "+5 %".
    """
    from compressor.baseline import store_baseline

    report = store_baseline(out, output)
    names = [str(record["name"]) for record in report["artifacts"]]
    if as_json:
        click.echo(json.dumps({"output": str(output), "artifacts": names}))
    click.echo(f"kept {', '.join(names)} in {output}/", err=True)
