"""A table for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from bench.gate.format import MARKS, Verdict
from bench.gate.ruling import Level, Outcome, Ruling


def render(verdict: Verdict) -> str:
    """Return one line a ruling, reasons below what did not pass, and the counts at the end."""
    rows = [(_mark(r), r.budget, r.artifact, r.judgement.found, r.limit) for r in verdict.rulings]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(5)]
    lines: list[str] = []
    for ruling, row in zip(verdict.rulings, rows, strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        lines.append("  ".join(cells).rstrip())
        lines += _remarks(ruling)
    return "\n".join([*lines, verdict.summary, *verdict.why]) + "\n"


def _mark(ruling: Ruling) -> str:
    warned = ruling.level is Level.WARN and ruling.outcome is not Outcome.PASS
    return f"{MARKS[ruling.outcome]}{' (warn)' if warned else ''}"


def _remarks(ruling: Ruling) -> Iterator[str]:
    for text in (ruling.judgement.reason, ruling.judgement.hint):
        if text:
            yield f"      {text}"
