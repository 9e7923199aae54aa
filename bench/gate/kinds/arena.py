"""``arena.<target>``: bytes of working memory that the model needs there."""

from __future__ import annotations

from bench.gate.estimates import judge_estimate
from bench.gate.facts import Facts, Tree
from bench.gate.kind import Rule
from bench.gate.quantity import Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Judgement


def read(key: str, given: object, where: str) -> Limit:  # noqa: ARG001 - any target
    """Return the largest arena in bytes."""
    return parse_limit(given, Dimension.BYTES, Bound.AT_MOST, where)


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement | None:
    """Judge what target *key* said; None where it was not asked about the artifact."""
    if not isinstance(rule, Limit):
        raise TypeError("this budget is a limit on a number")
    entry = facts.estimate_of(artifact, key)
    return None if entry is None else judge_estimate(rule, entry, "arena")
