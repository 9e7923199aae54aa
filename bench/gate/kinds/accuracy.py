"""``accuracy.<metric>``: a floor under the artifact's quality on the evaluation samples."""

from __future__ import annotations

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Rule, check_key, judge_exact
from bench.gate.numbers import missing
from bench.gate.quantity import Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Judgement
from bench.metric import find_metric, metric_names

_DIMENSIONS = {"%": Dimension.PERCENT, "dB": Dimension.DECIBELS}


def read(key: str, given: object, where: str) -> Limit:
    """Return the floor (for errors, the ceiling) in the metric's own unit."""
    check_key(key, metric_names(), where)
    metric = find_metric(key)
    bound = Bound.AT_LEAST if metric.higher_is_better else Bound.AT_MOST
    return parse_limit(given, _DIMENSIONS.get(metric.unit, Dimension.NUMBER), bound, where)


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement:
    """Judge the metric, which is exact on the samples it was taken on."""
    measured = (artifact.get("accuracy") or {}).get("metric")
    if measured != key:
        return missing(
            f"the report holds {measured or 'no accuracy'}", "compile with --data that has labels"
        )
    return judge_exact(rule, artifact, facts, ("accuracy", "artifact"))
