"""``max_drop.<metric>``: how much quality the artifact may lose against the source model."""

from __future__ import annotations

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Rule, check_key, judge_exact
from bench.gate.numbers import missing
from bench.gate.quantity import Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Judgement
from bench.metric import find_metric, metric_names


def read(key: str, given: object, where: str) -> Limit:
    """Return the largest loss: in points where the metric has them, else in its unit."""
    check_key(key, metric_names(), where)
    open_scale = find_metric(key).point is None
    dimension = Dimension.NUMBER if open_scale else Dimension.POINTS
    return parse_limit(given, dimension, Bound.AT_MOST, where)


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement:
    """Judge the loss on the samples both models answered."""
    measured = (artifact.get("accuracy") or {}).get("metric")
    if measured != key:
        return missing(
            f"the report holds {measured or 'no accuracy'}", "compile with --data that has labels"
        )
    return judge_exact(rule, artifact, facts, ("accuracy", "drop", "value"))
