from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from bench.records import (
    Accuracy,
    ArtifactRecord,
    Interval,
    Latency,
    LatencyRatio,
    Parity,
    Size,
    SourceRecord,
    Verdict,
)
from bench.table import comparison_table, table_text


def _latency(label: str, runtime: str, ms: float) -> Latency:
    return Latency(
        label=label,
        runtime=runtime,
        threads=1,
        median_ns=Interval(value=ms * 1e6, low=ms * 0.99e6, high=ms * 1.01e6),
        verdict=Verdict.STABLE,
        repeats=1,
        elapsed_ns=(1,),
    )


def _artifact(name: str, runtime: str, ms: float, ratio: float, drop: float) -> ArtifactRecord:
    return ArtifactRecord(
        name=name,
        runtime=runtime,
        size=Size(file_bytes=5_104_332, gzip_bytes=4_012_002),
        latency=_latency(name, runtime, ms),
        ratio=LatencyRatio(
            baseline="float",
            ratio=Interval(value=ratio, low=ratio - 0.01, high=ratio + 0.01),
            verdict=Verdict.NOISY,
            rounds=30,
        ),
        accuracy=Accuracy(
            metric="top1",
            unit="%",
            samples=1000,
            source=74.1,
            artifact=74.1 - drop,
            drop=Interval(value=drop, low=drop - 0.5, high=drop + 0.5),
            drop_unit="pt",
            agreement=98.5,
            cosine=0.99713,
            sqnr_db=25.1,
        ),
        parity=(Parity(output="y", samples=9, mean_lsb=0.125, max_lsb=3.0, agreement=99.0),),
    )


SOURCE = SourceRecord(
    name="efficientnet_lite0.onnx",
    size=Size(file_bytes=18_613_902, gzip_bytes=17_201_114),
    latency=(_latency("float", "ort", 15.24), _latency("float", "litert", 24.06)),
)
ARTIFACTS = (
    _artifact("model.onnx", "ort", 7.91, 0.519, 0.12),
    _artifact("model.tflite", "litert", 11.31, 0.47, -0.25),
)
GOLDEN = Path(__file__).with_name("table.golden.txt")


def test_golden() -> None:
    assert table_text(SOURCE, ARTIFACTS) == GOLDEN.read_text()


def test_fits_a_wide_terminal_and_cuts_nothing() -> None:
    text = table_text(SOURCE, ARTIFACTS)
    assert max(map(len, text.splitlines())) <= 120
    assert "\u2026" not in text
    assert text.isascii()


def test_prints_on_a_terminal() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=130)
    console.print(comparison_table(SOURCE, ARTIFACTS))
    assert "0.519x noisy" in re.sub("\x1b\\[[0-9;]*m", "", stream.getvalue())


def test_unmeasured_columns_are_left_out() -> None:
    source = dataclasses.replace(SOURCE, latency=())
    bare = ArtifactRecord(name="model.onnx", runtime="ort", size=SOURCE.size)
    text = table_text(source, [bare])
    assert text.splitlines()[0].split() == ["model", "runtime", "KB", "gzip", "KB"]


def test_gaps_do_not_disturb_the_order() -> None:
    bare = ArtifactRecord(name="model.fp16.onnx", runtime="ort", size=SOURCE.size)
    heads = [table_text(SOURCE, order).splitlines()[0] for order in ([*ARTIFACTS, bare], ARTIFACTS)]
    assert heads[0].split() == heads[1].split()


def test_names_are_not_read_as_markup() -> None:
    odd = dataclasses.replace(SOURCE, name="model[bold].onnx")
    assert "model[bold].onnx" in table_text(odd, ARTIFACTS)


@pytest.mark.parametrize(
    ("ms", "shown"),
    [(0.01234, "0.0123"), (0.5, "0.500"), (9.999, "10.0"), (1234.5, "1,23"), (15.24, "15.2")],
)
def test_three_digits_of_any_size(ms: float, shown: str) -> None:
    source = dataclasses.replace(SOURCE, latency=(_latency("float", "ort", ms),))
    row = table_text(source, []).splitlines()[1]
    assert shown in row
    assert "e" not in row.split()[-1]
