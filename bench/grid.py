"""Benchmark cells as a table: for the terminal, for Markdown and as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from bench.cell import Cell
from bench.records import Interval

Row = dict[str, str]

COLUMNS = (
    "model",
    "target",
    "KB",
    "ms",
    "95 %",
    "p90",
    "p99",
    "ratio",
    "first ms",
    "load ms",
    "MB",
    "quality",
    "drop",
    "verdict",
)
_NS_PER_MS = 1e6
_DIGITS = 3


def rows(cells: Sequence[Cell]) -> list[Row]:
    """Return one row a cell, texts by column; what was not measured is left out."""
    return [_row(cell) for cell in cells]


def filled(table: Sequence[Row]) -> list[str]:
    """Return the columns that some row fills, in order."""
    return [column for column in COLUMNS if any(row.get(column) for row in table)]


def markdown(cells: Sequence[Cell]) -> str:
    """Return the cells as a Markdown table."""
    table = rows(cells)
    columns = filled(table)
    head = [" | ".join(columns), " | ".join("---" if c in _TEXT else "---:" for c in columns)]
    body = [" | ".join(row.get(c, "").replace("|", "\\|") for c in columns) for row in table]
    return "".join(f"| {line} |\n" for line in (*head, *body))


def comma_separated(cells: Sequence[Cell]) -> str:
    """Return the cells as CSV with every column and plain numbers."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows(cells):
        writer.writerow({k: v.replace(",", "") for k, v in row.items()})
    return stream.getvalue()


_TEXT = frozenset({"model", "target", "verdict"})


def _row(cell: Cell) -> Row:
    row: Row = {"model": cell.model, "target": cell.target}
    if cell.size:
        row["KB"] = f"{cell.size.file_bytes / 1000:,.1f}"
    if cell.error:
        return row | {"verdict": f"{cell.error['code']}: {cell.error['what']}"}
    if cell.estimate:
        return row | _estimated(cell.estimate)
    return row | _timed(cell) | _started(cell) | _judged(cell)


def _timed(cell: Cell) -> Row:
    latency, percentiles = cell.latency, cell.percentiles_ms
    if latency is None:
        return {}
    row = {
        "ms": short(latency.median_ns.value / _NS_PER_MS),
        "95 %": _range(latency.median_ns, 1 / _NS_PER_MS),
        "verdict": latency.verdict.value,
    }
    row |= {name: short(ms) for name, ms in (percentiles or {}).items() if name in ("p90", "p99")}
    if cell.ratio:
        row["ratio"] = f"{short(cell.ratio.ratio.value)}x ({_range(cell.ratio.ratio, 1)})"
        row["verdict"] = cell.ratio.verdict.value
    return row


def _started(cell: Cell) -> Row:
    row: Row = {}
    if cell.cold:
        row |= {"first ms": short(cell.cold.first_ms), "load ms": short(cell.cold.load_ms)}
    if cell.memory:
        row["MB"] = f"{cell.memory.added_bytes / 1e6:,.1f}"
    return row


def _judged(cell: Cell) -> Row:
    accuracy = cell.accuracy
    if accuracy is None:
        return {}
    unit = f" {accuracy.unit}" if accuracy.unit else ""
    row = {"quality": f"{accuracy.metric} {accuracy.artifact:.4g}{unit}"}
    if accuracy.drop:
        low, high = accuracy.drop.low, accuracy.drop.high
        row["drop"] = f"{accuracy.drop.value:.2f} ({low:.2f}..{high:.2f})"
    return row


def _estimated(tree: object) -> Row:
    """Return the row of an estimate: its median, the interval for nine of ten, and its tier."""
    assert isinstance(tree, dict)
    row: Row = {"verdict": f"estimated: {tree['tier']}"}
    if spread := tree.get("latency_ms"):
        row["ms"] = short(spread["median"])
        row["95 %"] = f"{short(spread['low90'])}..{short(spread['high90'])} (90 %)"
    if need := tree.get("memory"):
        row["MB"] = f"{(need['arena'] + need['weights'] + need['overhead']) / 1e6:,.1f}"
    return row


def _range(interval: Interval, factor: float) -> str:
    return f"{short(interval.low * factor)}..{short(interval.high * factor)}"


def short(number: float) -> str:
    """Write *number* with three significant digits, never with an exponent."""
    if not math.isfinite(number):
        return str(number)
    size = math.floor(math.log10(abs(number))) if number else 0
    return f"{number:,.{max(0, _DIGITS - 1 - size)}f}"
