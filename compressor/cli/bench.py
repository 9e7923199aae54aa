"""``edgec bench``: how fast, how big and how good models are on targets, and how sure that is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compressor.errors import Code, EdgecError

if TYPE_CHECKING:
    from bench.change import Change
    from compressor.benchmark import Benchmark, BenchOptions


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--on", "targets", multiple=True, help="Targets such as ort or litert:threads=4.")
@click.option("--data", type=click.Path(path_type=Path), help="Samples, to judge quality as well.")
@click.option(
    "--seconds",
    default=3.0,
    show_default=True,
    type=click.FloatRange(0.01),
    help="Most time to measure each model on each target; less once the interval is narrow.",
)
@click.option("--batch", default=1, show_default=True, type=click.IntRange(1), help="Batch size.")
@click.option(
    "--pause", default=0.0, type=click.FloatRange(0), help="Seconds of rest before an inference."
)
@click.option("--cores", default="", metavar="0,1", help="Cores to run on; all by default.")
@click.option("--eval-samples", default=10_000, show_default=True, help="Most samples to judge by.")
@click.option("--weights", type=click.Path(path_type=Path), help="Checkpoint for file.py:factory.")
@click.option("--input-shape", multiple=True, metavar="NAME=1,3,224,224", help="Shape of an input.")
@click.option("--history", type=click.Path(path_type=Path), help="Append the run to this file.")
@click.option(
    "--compare", type=click.Path(path_type=Path), help="Compare with the newest run of this file."
)
@click.option("--plot", type=click.Path(path_type=Path), help="Draw size and latency as .svg.")
@click.option(
    "--format",
    "form",
    default="text",
    show_default=True,
    type=click.Choice(["text", "markdown", "csv", "json"]),
    help="How to print.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(**options: Any) -> None:  # noqa: ANN401 - click passes what the decorators declare
    """Measure MODELS (files, or whatever edgec compiles) on targets; the first is the baseline.

    On each target all models run in the same rounds, so that their ratios hold even where the
    machine's speed varies. Targets that are not here (sim:...) answer with an estimate and its
    interval. `edgec targets` lists them.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bench.history import append, latest
    from compressor.benchmark import run_benchmark
    from compressor.cli._console import ConsoleProgress
    from compressor.ingest.options import IngestOptions, parse_input_shapes
    from runtimes.targets import split_targets

    before = latest(options["compare"]) if options["compare"] else None
    ingest = IngestOptions(
        weights=options["weights"], input_shapes=parse_input_shapes(options["input_shape"])
    )
    with ConsoleProgress() as progress:
        found = run_benchmark(
            options["models"],
            split_targets(options["targets"]) or _usual(options["models"]),
            data=options["data"],
            options=_options(options),
            ingest=ingest,
            progress=progress,
        )
    tree = found.to_json()
    changes = _changes(tree, before) if before else []
    tree["changes"] = [change.to_json() for change in changes]
    if options["history"]:
        append(options["history"], tree)
    if options["plot"]:
        _draw(found, options["plot"])
    _print(found, changes, tree, "json" if options["as_json"] else options["form"])


def _usual(models: tuple[str, ...]) -> tuple[str, ...]:
    """Return the targets that the models' own formats suggest."""
    suffixes = {Path(model).suffix for model in models}
    return ("litert",) if suffixes == {".tflite"} else ("ort",)


def _options(options: dict[str, Any]) -> BenchOptions:
    from compressor.benchmark import BenchOptions

    cores = [part.strip() for part in options["cores"].split(",") if part.strip()]
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if not all(core.isdecimal() and int(core) in allowed for core in cores):
        raise EdgecError(
            Code.USAGE,
            f"these are no cores to run on: {options['cores']}",
            where="--cores",
            expected=f"some of: {', '.join(map(str, sorted(allowed)))}",
        )
    return BenchOptions(
        seconds=options["seconds"],
        batch=options["batch"],
        pause_s=options["pause"],
        cores=tuple(int(core) for core in cores),
        eval_samples=options["eval_samples"],
    )


def _changes(tree: dict[str, Any], before: Any) -> list[Change]:  # noqa: ANN401 - a JSON tree
    """Compare every cell with the earlier one of the same model and target."""
    from bench.change import change, times_of

    earlier = {(cell["model"], cell["target"]): times_of(cell) for cell in before["cells"]}
    found = []
    for cell in tree["cells"]:
        now, then = times_of(cell), earlier.get((cell["model"], cell["target"]))
        if now is not None and then is not None:
            found.append(change(now, then, model=cell["model"], target=cell["target"]))
    return found


def _draw(found: Benchmark, path: Path) -> None:
    from bench.plot import draw
    from compressor.files import write_atomically

    write_atomically(path, draw(found.cells, path.suffix))


def _print(found: Benchmark, changes: list[Change], tree: dict[str, Any], form: str) -> None:
    from bench.grid import comma_separated, markdown

    forms: dict[str, Callable[[], str]] = {
        "json": lambda: json.dumps(tree, indent=2) + "\n",
        "csv": lambda: comma_separated(found.cells),
        "markdown": lambda: markdown(found.cells),
        "text": lambda: _text(found),
    }
    click.echo(forms[form](), nl=False)
    for change in changes if form in ("text", "markdown") else ():
        click.echo(
            f"{change.model} on {change.target}: {change.direction.value}, "
            f"{change.ratio.value:.3f}x ({change.ratio.low:.3f}..{change.ratio.high:.3f}), "
            f"p = {change.p_value:.2g}"
        )


def _text(found: Benchmark) -> str:
    from bench.grid import filled, rows
    from compressor.cli._anatomy_text import table_of

    table = rows(found.cells)
    columns = filled(table)
    return table_of(columns, [[row.get(c, "") for c in columns] for row in table], left=2)
