"""``edgec check``: what would be refused or left in float, before time is spent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compressor.errors import ExitCode

if TYPE_CHECKING:
    from compressor.preflight import Preflight


@click.command()
@click.argument("model")
@click.option("--to", default="tflite", show_default=True, help="Formats, such as tflite,onnx,ort.")
@click.option("--quantize", default="int8", show_default=True, help="int8, fp16 or none.")
@click.option("--io-type", default="keep", show_default=True, help="float32, int8 or uint8.")
@click.option("--keep-float", multiple=True, metavar="NODE", help="Node that stays float.")
@click.option("--weights", type=click.Path(path_type=Path), help="Checkpoint for file.py:factory.")
@click.option("--input-shape", multiple=True, metavar="NAME=1,3,224,224", help="Shape of an input.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - as declared above
    """Say which nodes of MODEL a format refuses, and which INT8 leaves in float, and why.

    Needs no data and writes nothing. The exit status is 2 when something is refused.
    """
    from compressor.ingest.options import IngestOptions, parse_input_shapes
    from compressor.preflight import preflight

    ingest = IngestOptions(
        weights=options["weights"], input_shapes=parse_input_shapes(options["input_shape"])
    )
    found = preflight(options["model"], _recipe(options), ingest)
    if options["as_json"]:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        click.echo(_text(found), nl=False)
    if found.is_refused:
        context.exit(ExitCode.USER)


def _recipe(options: dict[str, Any]) -> Any:  # noqa: ANN401 - imported where it is used
    from compressor.recipe import Recipe
    from compressor.settings import settings_of

    stated = {known.name: known for known in settings_of(Recipe) if known.name in options}
    return Recipe(
        **{name: known.parse(options[name], known.option) for name, known in stated.items()}
    )


def _text(found: Preflight) -> str:
    lines = [f"{found.name}: {found.nodes} nodes"]
    for name, refusals in found.refusals.items():
        verdict = f"REFUSED, {len(refusals)} nodes" if refusals else "can be written"
        lines.append(f"  {name:<7} {verdict}")
        lines += _by_reason([(r.node, r.op_type, r.reason) for r in refusals])
    if found.kept_float:
        lines.append(f"  in float: {len(found.kept_float)} nodes")
        lines += _by_reason(found.kept_float)
    return "\n".join(lines) + "\n"


def _by_reason(nodes: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return a line for each reason, with the nodes that it is about."""
    names: dict[str, list[str]] = {}
    for name, op_type, reason in nodes:
        names.setdefault(reason, []).append(f"{name} ({op_type})")
    return [f"    {reason}: {', '.join(found)}" for reason, found in names.items()]
