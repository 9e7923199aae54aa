"""Everything, for programs."""

from __future__ import annotations

from bench.gate.format import Verdict
from bench.report import report_text

SCHEMA_VERSION = 1
"""Raised when a key is removed or changes its meaning; new keys do not raise it."""


def render(verdict: Verdict) -> str:
    """Return exit code and rulings as JSON."""
    return report_text(
        {
            "schema_version": SCHEMA_VERSION,
            "exit_code": verdict.exit_code,
            "summary": verdict.summary,
            "budgets": verdict.budgets,
            "rulings": [ruling.to_json() for ruling in verdict.rulings],
            "why": list(verdict.why),
        }
    )
