"""``edgec diff``: where two models part, tensor by tensor."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compressor.errors import ExitCode

if TYPE_CHECKING:
    from compressor.diff import Diff, TensorGap


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--data", type=click.Path(path_type=Path), help="Samples; random ones by default.")
@click.option("--samples", default=8, show_default=True, type=click.IntRange(1), help="How many.")
@click.option(
    "--limit",
    type=click.FloatRange(0),
    help="Relative difference that counts; 0.001, or 0.1 where integers are.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="Checkpoint for file.py:factory.")
@click.option("--input-shape", multiple=True, metavar="NAME=1,3,224,224", help="Shape of an input.")
@click.option("--all", "everything", is_flag=True, help="List every tensor, not only those apart.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401 - as declared above
    """Run models A and B on the same samples and say where they first part, and part the most.

    Any two formats can be compared; A is held to be right. Tensors are matched by name, and
    integers are compared as the real numbers that they stand for. The exit status is 1 when some
    tensor of B lies further from A's than the limit.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from compressor.diff import diff_models
    from compressor.ingest.options import IngestOptions, parse_input_shapes

    ingest = IngestOptions(
        weights=options["weights"], input_shapes=parse_input_shapes(options["input_shape"])
    )
    found = diff_models(
        options["a"],
        options["b"],
        data=options["data"],
        samples=options["samples"],
        limit=options["limit"],
        ingest=ingest,
    )
    if options["as_json"]:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        click.echo(_text(found, everything=options["everything"]), nl=False)
    if found.first is not None:
        context.exit(ExitCode.BUDGET)


def _text(found: Diff, *, everything: bool) -> str:
    from compressor.cli._anatomy_text import table_of

    gaps = (*found.gaps, *found.outputs)
    shown = [gap for gap in gaps if everything or found.is_apart(gap)]
    rows = [_row(gap) for gap in shown]
    head = ("tensor", "operator", "in B", "shape", "relative", "SQNR dB", "largest")
    lines = [
        f"{len(found.gaps)} tensors and {len(found.outputs)} outputs compared on "
        f"{found.samples} samples; {len(found.unmatched)} tensors of A are not in B",
    ]
    if found.first is None or found.worst is None:
        lines.append(f"no tensor differs by more than {found.limit:g}")
    else:
        lines.append(f"first apart: {_line(found.first)}")
        lines.append(f"worst:       {_line(found.worst)}")
    text = "\n".join(lines) + "\n"
    return text + ("\n" + table_of(head, rows, left=4) if rows else "")


def _line(gap: TensorGap) -> str:
    return f"'{gap.name}' ({gap.op_type}), relative {gap.relative:.3g}, {gap.sqnr_db:.1f} dB"


def _row(gap: TensorGap) -> tuple[str, ...]:
    shape = "x".join(map(str, gap.shape))
    numbers = (f"{gap.relative:.3g}", f"{gap.sqnr_db:.1f}", f"{gap.largest:.3g}")
    return (gap.name, gap.op_type, gap.other, shape, *numbers)
