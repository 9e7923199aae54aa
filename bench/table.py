"""The table at the end of a run: the source model against each artifact.

Below a value stands its 95 % interval, or its ratio to the source.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from bench.records import (
    Accuracy,
    ArtifactRecord,
    Interval,
    Latency,
    LatencyRatio,
    Parity,
    Size,
    SourceRecord,
)

Row = dict[str, str]

_COLUMNS = (
    "model",
    "runtime",
    "KB",
    "gzip KB",
    "ms",
    "latency ratio",
    "quality",
    "drop",
    "agreement",
    "LSB apart",
)
_LEFT = frozenset({"model", "runtime"})
_BYTES_PER_KB = 1000
_NS_PER_MS = 1e6
_DIGITS = 3


def comparison_table(source: SourceRecord, artifacts: Sequence[ArtifactRecord]) -> Table:
    """Return the comparison as a rich table; a column that nothing fills is left out."""
    rows = [*_source_rows(source, artifacts), *(_artifact_row(source, a) for a in artifacts)]
    headings = _headings([a.accuracy for a in artifacts if a.accuracy])
    table = Table(box=None, padding=(0, 2, 0, 0))
    filled = [column for column in _COLUMNS if any(column in row for row in rows)]
    for column in filled:
        justify: JustifyMethod = "left" if column in _LEFT else "right"
        table.add_column(headings.get(column, column), justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(row.get(column, "")) for column in filled))
    return table


def table_text(source: SourceRecord, artifacts: Sequence[ArtifactRecord]) -> str:
    """Return the comparison as plain text, as wide as its numbers need: nothing is cut off."""
    table = comparison_table(source, artifacts)
    stream = io.StringIO()
    width = Console(width=10_000).measure(table).maximum
    Console(file=stream, width=width, color_system=None).print(table)
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())


def _headings(accuracies: Sequence[Accuracy]) -> Row:
    """Name the columns of quality and drop after the metric, with their units."""
    if not accuracies:
        return {}
    first = accuracies[0]
    return {
        "quality": f"{first.metric} {first.unit}".strip(),
        "drop": f"drop {first.drop_unit}".strip(),
    }


def _source_rows(source: SourceRecord, artifacts: Sequence[ArtifactRecord]) -> Iterator[Row]:
    """One row for each runtime in which the source was timed, or a single one without times."""
    accuracies = [a.accuracy for a in artifacts if a.accuracy]
    quality = _quality(accuracies[0], accuracies[0].source) if accuracies else {}
    for latency in source.latency or (None,):
        runtime = {"runtime": latency.runtime} if latency else {}
        yield (
            {"model": source.name}
            | runtime
            | _size(source.size, source.size)
            | _latency(latency)
            | quality
        )


def _artifact_row(source: SourceRecord, artifact: ArtifactRecord) -> Row:
    accuracy = artifact.accuracy
    quality = _quality(accuracy, accuracy.artifact) if accuracy else {}
    return (
        {"model": artifact.name, "runtime": artifact.runtime}
        | _size(artifact.size, source.size)
        | _latency(artifact.latency)
        | _ratio(artifact.ratio)
        | quality
        | (_drop(accuracy) if accuracy else {})
        | _parity(artifact.parity)
    )


def _size(size: Size, source: Size) -> Row:
    row = {"KB": _kilobytes(size.file_bytes, source.file_bytes)}
    if size.gzip_bytes is not None:
        row["gzip KB"] = _kilobytes(size.gzip_bytes, source.gzip_bytes)
    return row


def _kilobytes(count: int, source: int | None) -> str:
    kilobytes = count / _BYTES_PER_KB
    decimals = 1 if kilobytes < _BYTES_PER_KB else 0
    ratio = "" if source is None else f"\n{count / source:.2f}x"
    return f"{kilobytes:,.{decimals}f}{ratio}"


def _latency(latency: Latency | None) -> Row:
    if latency is None:
        return {}
    return {"ms": "\n".join(_with_interval(latency.median_ns, 1 / _NS_PER_MS))}


def _ratio(ratio: LatencyRatio | None) -> Row:
    if ratio is None:
        return {}
    value, interval = _with_interval(ratio.ratio, 1)
    return {"latency ratio": f"{value}x {ratio.verdict.value}\n{interval}"}


def _quality(accuracy: Accuracy, value: float) -> Row:
    return {"quality": f"{value:.{2 if accuracy.unit == '%' else 4}f}"}


def _drop(accuracy: Accuracy) -> Row:
    agreement = "" if accuracy.agreement is None else f"{accuracy.agreement:.2f} %"
    row = {"agreement": f"{agreement}\ncos {accuracy.cosine:.4f}"}
    if drop := accuracy.drop:
        row["drop"] = f"{drop.value:.2f}\n{drop.low:.2f}..{drop.high:.2f}"
    return row


def _parity(parities: Sequence[Parity]) -> Row:
    """The worst output's mean, and the largest difference of any."""
    if not parities:
        return {}
    mean = max(parity.mean_lsb for parity in parities)
    largest = max(parity.max_lsb for parity in parities)
    return {"LSB apart": f"mean {mean:.2f}\nmax {largest:.2f}"}


def _with_interval(interval: Interval, factor: float) -> tuple[str, str]:
    """Return the value and its interval as two texts."""
    low, high = _short(interval.low * factor), _short(interval.high * factor)
    return _short(interval.value * factor), f"{low}..{high}"


def _short(number: float) -> str:
    """Write *number* with three significant digits, never with an exponent."""
    size = math.floor(math.log10(abs(number))) if number else 0
    return f"{number:,.{max(0, _DIGITS - 1 - size)}f}"
