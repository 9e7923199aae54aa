"""SARIF 2.1.0 (OASIS), which code hosts show at the budget's own line."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bench.gate.format import Verdict, message
from bench.gate.ruling import Level, Outcome, Ruling
from bench.report import report_text

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def render(verdict: Verdict) -> str:
    """Return one run with one result for each ruling that did not pass."""
    names = sorted({ruling.budget for ruling in verdict.rulings})
    driver = {
        "name": "edgec gate",
        "rules": [
            {"id": n, "shortDescription": {"text": f"The budget {n} is kept."}} for n in names
        ],
    }
    results = [
        _result(ruling, names.index(ruling.budget), verdict.budgets)
        for ruling in verdict.rulings
        if ruling.outcome is not Outcome.PASS
    ]
    run = {"tool": {"driver": driver}, "results": results}
    return report_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(ruling: Ruling, index: int, budgets: str) -> dict[str, Any]:
    serious = ruling.outcome is Outcome.FAIL and ruling.level is Level.ERROR
    location: dict[str, Any] = {"artifactLocation": {"uri": quote(budgets)}}
    if ruling.line:
        location["region"] = {"startLine": ruling.line}
    return {
        "ruleId": ruling.budget,
        "ruleIndex": index,
        "level": "error" if serious else "warning",
        "message": {"text": message(ruling)},
        "locations": [{"physicalLocation": location}],
    }
