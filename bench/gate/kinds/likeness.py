"""``likeness.agreement``, ``.cosine``, ``.sqnr``: how alike artifact and source answer."""

from __future__ import annotations

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Rule, judge_exact, read_limit
from bench.gate.quantity import Bound, Dimension, Limit
from bench.gate.ruling import Judgement

_FLOORS = {
    "agreement": (Dimension.PERCENT, Bound.AT_LEAST),
    "cosine": (Dimension.NUMBER, Bound.AT_LEAST),
    "sqnr": (Dimension.DECIBELS, Bound.AT_LEAST),
}
_PATHS = {
    "agreement": ("accuracy", "agreement"),
    "cosine": ("accuracy", "cosine"),
    "sqnr": ("accuracy", "sqnr_db"),
}


def read(key: str, given: object, where: str) -> Limit:
    """Return a floor in percent, as a plain number, or in decibels."""
    return read_limit(key, given, where, _FLOORS)


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement:
    """Judge the likeness on the evaluation samples."""
    return judge_exact(rule, artifact, facts, _PATHS[key])
