"""``integer.macs`` and ``integer.weights``: the share that is computed or stored in integers."""

from __future__ import annotations

from bench.gate.facts import Facts, Tree, number_at
from bench.gate.kind import Rule, read_limit
from bench.gate.numbers import Estimate, judge
from bench.gate.quantity import Bound, Dimension, Limit
from bench.gate.ruling import Judgement

_KEYS = {"macs": "integer_macs", "weights": "integer_weights"}


def read(key: str, given: object, where: str) -> Limit:
    """Return a floor in percent."""
    return read_limit(key, given, where, dict.fromkeys(_KEYS, (Dimension.PERCENT, Bound.AT_LEAST)))


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement:
    """Judge the share in the graph that the artifact was written from."""
    if not isinstance(rule, Limit):
        raise TypeError("this budget is a limit on a number")
    share = number_at(artifact, _KEYS[key])
    before = number_at(facts.baseline_of(artifact), _KEYS[key])
    return judge(
        rule,
        None if share is None else Estimate.exact(100 * share),
        baseline=None if before is None else 100 * before,
    )
