"""Workflow commands that GitHub Actions shows as annotations at the budget's line."""

from __future__ import annotations

from bench.gate.format import Verdict, message
from bench.gate.ruling import Level, Outcome, Ruling


def render(verdict: Verdict) -> str:
    """Return one command for each ruling that did not pass, and the counts as a notice."""
    broken = [r for r in verdict.rulings if r.outcome is not Outcome.PASS]
    lines = [_command(ruling, verdict.budgets) for ruling in broken]
    return "\n".join([*lines, f"::notice title=edgec gate::{_data(verdict.summary)}"]) + "\n"


def _command(ruling: Ruling, budgets: str) -> str:
    serious = ruling.outcome is Outcome.FAIL and ruling.level is Level.ERROR
    place = f"file={_property(budgets)},line={ruling.line or 1}"
    title = _property(f"edgec {ruling.outcome.value}")
    kind = "error" if serious else "warning"
    return f"::{kind} {place},title={title}::{_data(message(ruling))}"


def _data(text: str) -> str:
    """Escape what would end the command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
