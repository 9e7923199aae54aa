"""``edgec baseline``: set artifacts aside, to hold later ones against."""

from __future__ import annotations

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
def command(out: Path, output: Path) -> None:
    """Keep the artifacts and the report in OUT as the baseline of later gates.

    `edgec gate OUT --baseline FOLDER` then knows limits such as "+5 %".
    """
    from compressor.baseline import store_baseline

    report = store_baseline(out, output)
    names = ", ".join(str(record["name"]) for record in report["artifacts"])
    click.echo(f"kept {names} in {output}/", err=True)
