"""``edgec doctor``: what is installed, what this machine offers, and whether it all works."""

from __future__ import annotations

import json
import os
import sys

import click

from compressor.errors import ExitCode


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Check packages, runtimes, processor and space, and compile a tiny model."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from compressor.doctor import diagnose

    checks = diagnose()
    if as_json:
        click.echo(json.dumps([check.to_json() for check in checks], indent=1))
    else:
        width = max(len(check.topic) for check in checks)
        click.echo(f"python {sys.version.split()[0]} at {sys.prefix}")
        for check in checks:
            mark = "ok " if check.good else "BAD"
            hint = f" -> {check.hint}" if check.hint else ""
            click.echo(f"{mark}  {check.topic:<{width}}  {check.found}{hint}")
    if not all(check.good for check in checks):
        context.exit(ExitCode.ENVIRONMENT)
