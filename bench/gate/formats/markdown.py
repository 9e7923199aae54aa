"""A table for a step summary or a comment on a change."""

from __future__ import annotations

from bench.gate.format import MARKS, Verdict
from bench.gate.ruling import Ruling

_SPECIAL = str.maketrans({"|": r"\|", "<": "&lt;", ">": "&gt;", "`": "'", "\n": " "})


def render(verdict: Verdict) -> str:
    """Return a heading with the counts, the table, and explanations in a block."""
    lines = [
        f"### Budgets: {verdict.summary}",
        "",
        "| | budget | artifact | found | allowed | |",
        "|---|---|---|---|---|---|",
        *(_row(ruling) for ruling in verdict.rulings),
    ]
    if verdict.why:
        lines += ["", "```text", *verdict.why, "```"]
    return "\n".join(lines) + "\n"


def _row(ruling: Ruling) -> str:
    judged = ruling.judgement
    remark = "; ".join(part for part in (judged.reason, judged.hint) if part)
    cells = (ruling.budget, ruling.artifact, judged.found, ruling.limit, remark)
    texts = [f"**{MARKS[ruling.outcome]}**", *(cell.translate(_SPECIAL) for cell in cells)]
    return f"| {' | '.join(texts)} |"
