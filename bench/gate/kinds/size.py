"""``size.file``, ``size.gzip``, ``size.weights``: bytes that are shipped, exactly."""

from __future__ import annotations

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Rule, judge_exact, read_limit
from bench.gate.quantity import Bound, Dimension, Limit
from bench.gate.ruling import Judgement

_PATHS = {
    "file": ("size", "file_bytes"),
    "gzip": ("size", "gzip_bytes"),
    "weights": ("weight_bytes",),
}


def read(key: str, given: object, where: str) -> Limit:
    """Return an upper limit in bytes."""
    return read_limit(key, given, where, dict.fromkeys(_PATHS, (Dimension.BYTES, Bound.AT_MOST)))


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement:
    """Judge the artifact's bytes."""
    return judge_exact(rule, artifact, facts, _PATHS[key], source=True)
