"""``edgec targets``: where models can run, and what is missing where they cannot."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List every target with whether it can be used here, and what to install where not."""
    from runtimes import estimate
    from runtimes.targets import runtimes

    found = [
        {"target": name, "kind": "runtime", "missing": module.available()}
        for name, module in sorted(runtimes().items())
    ]
    found += [
        {"target": name, "kind": "estimate", "missing": module.available()}
        for name, module in sorted(estimate.targets().items())
    ]
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    width = max(len(str(row["target"])) for row in found)
    for row in found:
        click.echo(f"{row['target']:<{width}}  {row['missing'] or 'ready'}")
