"""JUnit XML, which most CI systems show as test results.

The layout is that of the schema which Jenkins and the Ant task share: ``failure`` for a broken
budget, ``error`` for one that could not be decided, and a warning's text in ``system-out``.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

from bench.gate.format import Verdict, message
from bench.gate.ruling import Level, Outcome, Ruling

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def render(verdict: Verdict) -> str:
    """Return one test suite with one test case a ruling."""
    cases = "".join(_case(ruling, verdict.budgets) for ruling in verdict.rulings)
    failures = sum(_fails(ruling) for ruling in verdict.rulings)
    errors = sum(_is_undecided(ruling) for ruling in verdict.rulings)
    counts = f'tests="{len(verdict.rulings)}" failures="{failures}" errors="{errors}"'
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites>\n  <testsuite name="edgec gate" {counts}>\n{cases}'
        "  </testsuite>\n</testsuites>\n"
    )


def _case(ruling: Ruling, budgets: str) -> str:
    name, group = _attribute(ruling.title), _attribute(budgets)
    opening = f"    <testcase name={name} classname={group}"
    if ruling.outcome is Outcome.PASS:
        return f"{opening}/>\n"
    text = message(ruling)
    if ruling.level is Level.WARN:
        inner = f"<system-out>{escape(_clean(text))}</system-out>"
    else:
        tag = "failure" if _fails(ruling) else "error"
        kind = _attribute(ruling.outcome.value)
        inner = f"<{tag} message={_attribute(text)} type={kind}>{escape(_clean(text))}</{tag}>"
    return f"{opening}>\n      {inner}\n    </testcase>\n"


def _fails(ruling: Ruling) -> bool:
    return ruling.outcome is Outcome.FAIL and ruling.level is Level.ERROR


def _is_undecided(ruling: Ruling) -> bool:
    undecided = ruling.outcome in (Outcome.UNCERTAIN, Outcome.UNKNOWN)
    return undecided and ruling.level is Level.ERROR


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """Drop what XML 1.0 cannot hold."""
    return _CONTROL.sub("?", text)
