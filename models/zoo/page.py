"""Measure every model of the zoo as TFLite, and write the table of `docs/models.md`.

    python -m models.zoo.page --work FOLDER [NAME ...] > docs/models.md

FOLDER keeps what was exported and measured, so that a run may be interrupted; a model is measured
again when its record there is removed.
"""

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir

from bench.contents import contents_of
from bench.latency import Entry as Timed
from bench.latency import LatencyOptions, compare, time_models
from compressor.compile import compile_model
from compressor.errors import EdgecError
from compressor.export import write_artifact
from compressor.ir.interface import Layout, interface_of
from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
from compressor.recipe import IoLayout, Recipe, Scheme
from compressor.source import Source, find_importer, read_source
from exporters.protocol import ExportOptions
from models.zoo.answers import answers_of
from models.zoo.entries import ZOO, Array, Entry
from runtimes.isolate import Worker

SAMPLES = 4
HEAD = """# Models

Well-known architectures without their training (`models/zoo`), from their framework to TFLite with
`--io-layout nhwc`: image inputs are channels last. Difference is the largest of LiteRT's answers to
the framework's, relative to the largest answer. Ratio is LiteRT's latency over ONNX Runtime's for
the float model, one thread, rounds interleaved, with its 95 % interval. Integer is the share of
multiply-accumulates that static INT8 leaves as integers; each INT8 file was run. Calibration saw
random numbers, so that accuracies would say nothing.

Made by `python -m models.zoo.page --work out/zoo > docs/models.md`, on a loaded server:
ratios count, not times. Models that are not in the table were not measured in this run.

| model | ops | TRANSPOSE | KB | difference | latency ratio | INT8 ops | INT8 KB | integer |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
"""


@dataclass(frozen=True, kw_only=True)
class Record:
    """One row; an empty *refused* means that all of it was measured.

    Attributes:
        operators: how many the float TFLite file has.
        transposes: how many of these are TRANSPOSE.
        size: of that file, in bytes.
        difference: of LiteRT to the framework, relative to the largest answer.
        ratio: latency of LiteRT over ONNX Runtime: median, low and high.
        int8_operators: how many the INT8 file has.
        int8_size: of that file, in bytes.
        integer: share of the multiply-accumulates that are integer.
        refused: the error that stopped the model.
    """

    operators: int = 0
    transposes: int = 0
    size: int = 0
    difference: float = 0.0
    ratio: tuple[float, float, float] = (0.0, 0.0, 0.0)
    int8_operators: int = 0
    int8_size: int = 0
    integer: float = 0.0
    refused: str = ""


def exported(entry: Entry, work: Path) -> Path:
    """Export the model of *entry* with the answers of its framework, unless *work* has both."""
    path, answers = work / f"{entry.name}.onnx", work / f"{entry.name}.npz"
    if not (path.is_file() and answers.is_file()):
        model = find_importer(entry.spec)(Path(entry.spec), entry.options)
        interface = interface_of(model)
        feeds = entry.feeds(interface, seed=1)
        arrays = {f"in0/{name}": array for name, array in feeds.items()}
        (found,) = answers_of(entry, [feeds])
        for spec, array in zip(interface.outputs, found, strict=True):
            arrays[f"out0/{spec.name}"] = array
        ir.save(model, path)
        np.savez(answers, **arrays)
    return path


def measured(entry: Entry, work: Path) -> Record:
    """Return the figures of *entry*."""
    path = exported(entry, work)
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        try:
            source = read_source(str(path))
            record = _float(source, path.with_suffix(".npz"), scratch)
            return _integer(entry, source, scratch, record)
        except EdgecError as error:
            return Record(refused=f"{error.code.name}: {error.what}")


def _float(source: Source, stored: Path, scratch: Path) -> Record:
    model = source.model.clone()
    SetIoLayout().run(model, PassContext())
    files = [
        write_artifact(graph, name, scratch / "float", ExportOptions()).path
        for graph, name in ((source.model, "onnx"), (model, "tflite"))
    ]
    sides = source.interface
    images = {s.name for s in (*sides.inputs, *sides.outputs) if s.layout is Layout.NCHW}
    arrays = np.load(stored)
    feeds = {key[4:]: arrays[key] for key in arrays.files if key.startswith("in0/")}
    with Worker() as worker:
        timed = []
        for runtime, path in zip(("ort", "litert"), files, strict=True):
            session = worker.open(runtime, path)
            kinds = {spec.name: spec.numpy for spec in session.interface.inputs}
            fed = {
                name: (_last(array) if runtime == "litert" and name in images else array)
                for name, array in feeds.items()
            }
            fed = {name: array.astype(kinds[name]) for name, array in fed.items()}
            timed.append(Timed(label=runtime, session=session, feeds=fed))
        answers = timed[1].session.run(timed[1].feeds)
        wanted = {name: arrays[f"out0/{name}"] for name in answers}
        wanted = {name: _last(a) if name in images else a for name, a in wanted.items()}
        baseline, latency = time_models(worker, timed, LatencyOptions(budget_s=4.0))
    ratio = compare(baseline, latency).ratio
    operators = contents_of(files[1]).operators
    return Record(
        operators=sum(operators.values()),
        transposes=operators.get("TRANSPOSE", 0),
        size=files[1].stat().st_size,
        difference=max(_difference(answers[name], want) for name, want in wanted.items()),
        ratio=(ratio.value, ratio.low, ratio.high),
    )


def _last(image: Array) -> Array:
    """Return an NCHW *image* with its channels last."""
    return np.ascontiguousarray(image.transpose(0, 2, 3, 1))


def _difference(have: Array, want: Array) -> float:
    if have.shape != want.shape:
        return float("inf")
    return float(np.abs(have.astype(np.float64) - want).max() / max(1e-30, np.abs(want).max()))


def _integer(entry: Entry, source: Source, scratch: Path, record: Record) -> Record:
    np.savez(scratch / "data.npz", **entry.feeds(source.interface, batch=2 * SAMPLES))
    made = compile_model(
        str(source.path),
        output=scratch / "int8",
        data=scratch / "data.npz",
        recipe=Recipe(
            quantize=Scheme.INT8,
            io_layout=IoLayout.NHWC,
            to=("tflite",),
            calib_samples=SAMPLES,
            eval_samples=SAMPLES,
            latency_seconds=0.5,
        ),
    )
    file = made.folder / "model.tflite"
    return dataclasses.replace(
        record,
        int8_operators=sum(contents_of(file).operators.values()),
        int8_size=file.stat().st_size,
        integer=made.summary.integer_macs,
    )


def row(name: str, record: Record) -> str:
    """Return the line of the table."""
    if record.refused:
        return f"| {name} | {record.refused} |"
    middle, low, high = record.ratio
    cells = (
        name,
        record.operators,
        record.transposes,
        f"{record.size / 1000:,.0f}",
        f"{record.difference:.1e}",
        f"{middle:.2f} ({low:.2f}..{high:.2f})",
        record.int8_operators,
        f"{record.int8_size / 1000:,.0f}",
        f"{record.integer:.1%}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def records(
    entries: Iterable[Entry], work: Path, *, recorded: bool
) -> Iterable[tuple[str, Record]]:
    """Yield the name and figures of *entries*, from *work* where they stand; else they are made.

    With *recorded* those that do not stand there are left out.
    """
    for entry in entries:
        kept = work / f"{entry.name}.json"
        if recorded and not kept.is_file():
            continue
        if not kept.is_file():
            print(entry.name, file=sys.stderr, flush=True)
            kept.write_text(json.dumps(dataclasses.asdict(measured(entry, work))))
        yield entry.name, Record(**json.loads(kept.read_text()))


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; all models by default")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--recorded", action="store_true", help="measure nothing more")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    chosen = [e for e in ZOO if not options.names or any(n in e.name for n in options.names)]
    found = records(chosen, options.work, recorded=options.recorded)
    print(HEAD + "\n".join(row(*pair) for pair in found))


if __name__ == "__main__":
    main()
