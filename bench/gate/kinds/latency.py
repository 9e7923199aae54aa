"""``latency.<target>``: time of one inference, absolute, against float, or against the baseline."""

from __future__ import annotations

from bench.gate.estimates import interval_at, judge_estimate
from bench.gate.facts import Facts, Tree, number_at
from bench.gate.kind import Rule
from bench.gate.numbers import judge, judge_change
from bench.gate.quantity import Against, Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Judgement

_NS = 1e-9


def read(key: str, given: object, where: str) -> Limit:  # noqa: ARG001 - any target
    """Return an upper limit in seconds."""
    return parse_limit(given, Dimension.SECONDS, Bound.AT_MOST, where)


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement | None:
    """Judge the artifact's time on target *key*; None where the target does not take it."""
    if not isinstance(rule, Limit):
        raise TypeError("this budget is a limit on a number")
    if rule.against is Against.BASELINE_SHARE:
        compared = facts.comparisons.get(str(artifact.get("name")), {})
        if not _runs_on(key, artifact, facts):
            return None
        return judge_change(rule, interval_at(compared.get(key)))
    if artifact.get("runtime") == key:
        return judge(
            rule,
            interval_at(artifact.get("latency"), "median_ns", scale=_NS),
            float_value=interval_at(artifact.get("ratio"), "ratio"),
            baseline=_baseline(artifact, facts),
        )
    entry = facts.estimate_of(artifact, key)
    return None if entry is None else judge_estimate(rule, entry, "seconds")


def _runs_on(key: str, artifact: Tree, facts: Facts) -> bool:
    return artifact.get("runtime") == key or facts.estimate_of(artifact, key) is not None


def _baseline(artifact: Tree, facts: Facts) -> float | None:
    median = number_at(facts.baseline_of(artifact), "latency", "median_ns", "value")
    return None if median is None else median * _NS
