"""``ops.allow`` and ``ops.deny``: operators that an artifact may hold, or must not."""

from __future__ import annotations

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Names, Rule, check_key
from bench.gate.numbers import missing
from bench.gate.ruling import Judgement, Outcome
from compressor.errors import Code, EdgecError


def read(key: str, given: object, where: str) -> Names:
    """Return the operators, by the names that the format uses, in any case."""
    check_key(key, ("allow", "deny"), where)
    if not isinstance(given, list) or not given or not all(isinstance(n, str) for n in given):
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"{given!r} is no list of operators",
            where=where,
            expected='a list such as ["TRANSPOSE", "CUSTOM"]',
        )
    return Names(names=frozenset(name.upper() for name in given), text=", ".join(given))


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement:  # noqa: ARG001 - all
    """Judge the operators in the artifact's file."""
    if not isinstance(rule, Names):
        raise TypeError("this budget is a list of names")
    operators = artifact.get("operators")
    if not operators:
        return missing("the report does not list the artifact's operators")
    bad = sorted(name for name in operators if (name.upper() in rule.names) is (key == "deny"))
    counts = ", ".join(f"{name} x{operators[name]}" for name in bad)
    found = f"{len(operators)} kinds of operators"
    if not bad:
        return Judgement(outcome=Outcome.PASS, found=found)
    return Judgement(outcome=Outcome.FAIL, found=counts, reason="not allowed")
