"""Intervals as reports hold them, and answers of targets that are not timed here."""

from __future__ import annotations

from bench.gate.facts import Tree, number_at
from bench.gate.numbers import Estimate, judge
from bench.gate.quantity import Limit
from bench.gate.ruling import Judgement, Outcome


def judge_estimate(rule: Limit, entry: Tree, name: str) -> Judgement:
    """Judge what a target said of *name*; where it cannot answer the budget is UNKNOWN."""
    if entry.get("tier") == "UNKNOWN":
        reason = str(entry.get("reason") or "the target cannot tell")
        return Judgement(outcome=Outcome.UNKNOWN, found="unknown", reason=reason)
    value = number_at(entry, name)
    found = interval_at(entry, name) if value is None else Estimate.exact(value)
    return judge(rule, found)


def interval_at(tree: object, *path: str, scale: float = 1.0) -> Estimate | None:
    """Return value, low and high under *path*, times *scale*; None unless all are there."""
    ends = [number_at(tree, *path, name) for name in ("value", "low", "high")]
    if any(end is None for end in ends):
        return None
    value, low, high = (end * scale for end in ends if end is not None)
    return Estimate(value=value, low=low, high=high)
