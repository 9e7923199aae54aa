"""``latency.<target>``: time of one inference, absolute, against float, or against the baseline."""

from __future__ import annotations

from collections.abc import Iterator

from bench.gate.facts import Facts, Tree, number_at
from bench.gate.kind import Rule
from bench.gate.numbers import Estimate, judge, judge_change
from bench.gate.quantity import Against, Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Judgement, Outcome

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
        return judge_change(rule, _interval(compared.get(key)))
    if artifact.get("runtime") == key:
        return judge(
            rule,
            _interval(artifact.get("latency"), "median_ns", scale=_NS),
            float_value=_interval(artifact.get("ratio"), "ratio"),
            baseline=_baseline(artifact, facts),
        )
    return next((_judge_estimate(rule, entry) for entry in _estimates(artifact, facts, key)), None)


def _runs_on(key: str, artifact: Tree, facts: Facts) -> bool:
    return artifact.get("runtime") == key or any(_estimates(artifact, facts, key))


def _judge_estimate(rule: Limit, entry: Tree) -> Judgement:
    """Judge a simulated time; a device that cannot answer leaves the budget UNKNOWN."""
    if entry.get("tier") == "UNKNOWN":
        reason = str(entry.get("reason") or "the simulator cannot tell")
        return Judgement(outcome=Outcome.UNKNOWN, found="unknown", reason=reason)
    return judge(rule, _interval(entry, "seconds"))


def _estimates(artifact: Tree, facts: Facts, key: str) -> Iterator[Tree]:
    """Yield what simulated targets called *key* said of *artifact*."""
    for entry in facts.report.get("estimates") or ():
        if entry.get("target") == key and entry.get("artifact") == artifact.get("name"):
            yield entry


def _baseline(artifact: Tree, facts: Facts) -> float | None:
    median = number_at(facts.baseline_of(artifact), "latency", "median_ns", "value")
    return None if median is None else median * _NS


def _interval(tree: object, *path: str, scale: float = 1.0) -> Estimate | None:
    ends = [number_at(tree, *path, name) for name in ("value", "low", "high")]
    if any(end is None for end in ends):
        return None
    value, low, high = (float(end) * scale for end in ends if end is not None)
    return Estimate(value=value, low=low, high=high)
