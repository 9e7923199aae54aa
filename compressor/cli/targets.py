"""``edgec targets``: where models can run, and what is missing where they cannot."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import click

Row = dict[str, Any]


@click.command()
@click.argument("devices", nargs=-1, metavar="[DEVICE]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(devices: tuple[str, ...], as_json: bool) -> None:
    """List every target with whether it can be used here, and what to install where not.

    With DEVICE (ssh://user@host, adb:SERIAL,benchmark=FILE), say what that device is instead.
    """
    found = [_asked(text) for text in devices] or _targets()
    if as_json:
        click.echo(json.dumps(found, indent=1))
        return
    width = max(len(str(row["target"])) for row in found)
    for row in found:
        told = _sentence(row) if "device" in row else row["missing"] or "ready"
        click.echo(f"{row['target']:<{width}}  {told}")


def _targets() -> list[Row]:
    from runtimes import estimate
    from runtimes.remote.target import kinds
    from runtimes.targets import runtimes

    tables: tuple[tuple[str, Mapping[str, Any]], ...] = (
        ("runtime", runtimes()),
        ("device", {kind.FORM: kind for kind in kinds().values()}),
        ("estimate", estimate.targets()),
    )
    return [
        {"target": name, "kind": kind, "missing": module.available()}
        for kind, table in tables
        for name, module in sorted(table.items())
    ]


def _asked(text: str) -> Row:
    """Connect to the device and return what it says about itself."""
    from runtimes.remote.target import place_at

    return {"target": text, "device": dataclasses.asdict(place_at(text).device.probe())}


def _sentence(row: Row) -> str:
    facts = row["device"]
    memory = f"{facts['memory_bytes'] / 1e9:.1f} GB"
    runs = ", ".join(f"{name} ({package})" for name, package in facts["runtimes"].items())
    parts = (facts["cpu"] or facts["machine"], f"{facts['cores']} cores", memory, facts["system"])
    return f"{', '.join(parts)}; runs {runs or 'nothing yet: give it wheels'}"
