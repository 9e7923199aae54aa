"""``edgec gate``: hold a compiled folder against its budgets; the exit status is for CI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--budgets",
    type=click.Path(path_type=Path),
    default=Path("edgec.toml"),
    show_default=True,
    help="Project file with [budgets].",
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), help="Folder that `edgec baseline` made."
)
@click.option(
    "--seconds",
    default=10.0,
    show_default=True,
    help="Time to compare latency with a baseline for.",
)
@click.option(
    "--format",
    default="text",
    show_default=True,
    help="On stdout: text, json, markdown, junit, sarif or github.",
)
@click.option(
    "--write", multiple=True, metavar="FORMAT=FILE", help="Write a report too; may be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--allow-uncertain", is_flag=True, help="Noise alone does not fail the gate.")
@click.option("--why", is_flag=True, help="Say what makes up the size, the time and the loss.")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - click passes these
    """Decide whether the artifacts in OUT keep their budgets.

    Exit status: 0 all kept, 1 one is broken, 2 a file is at fault, 3 one cannot be decided.
    """
    from bench.gate.budget import rule_all
    from bench.gate.format import Verdict, render
    from bench.gate.ruling import exit_code
    from bench.gate.why import explain
    from compressor.cli._gate_files import parse_writes, require_format
    from compressor.files import write_atomically
    from compressor.gate import collect_facts
    from compressor.project import read_project, require_budgets

    form = "json" if options["as_json"] else options["format"]
    require_format(form)
    files = parse_writes(options["write"])
    project = read_project(options["budgets"])
    budgets, baseline = require_budgets(project), options["baseline"] or project.baseline
    facts = collect_facts(options["out"], budgets, baseline, seconds=options["seconds"])
    rulings = rule_all(budgets, facts)
    status = exit_code(rulings, allow_uncertain=options["allow_uncertain"])
    verdict = Verdict(
        rulings=rulings,
        exit_code=status,
        budgets=options["budgets"].as_posix(),
        why=tuple(explain(rulings, facts)) if options["why"] else (),
    )
    for file, kind in files.items():
        write_atomically(file, render(kind, verdict).encode())
    click.echo(render(form, verdict), nl=False)
    context.exit(status)
