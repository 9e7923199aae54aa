"""``versions.opset`` and ``versions.<package>``: what a device's runtime must be able to read."""

from __future__ import annotations

import re

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Names, Rule
from bench.gate.numbers import missing
from bench.gate.ruling import Judgement, Outcome
from compressor.errors import Code, EdgecError

_FORM = re.compile(r"(<=|>=|==)\s*(\d+(?:\.\d+)*)")


def read(key: str, given: object, where: str) -> Names:  # noqa: ARG001 - any package
    """Return a bound such as ``<= 21``."""
    if not isinstance(given, str) or _FORM.fullmatch(given.strip()) is None:
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"{given!r} is no bound on a version",
            where=where,
            expected='text such as "<= 21"',
        )
    return Names(names=frozenset({given.strip()}), text=given.strip())


def rule(rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement | None:
    """Judge the opset of an ONNX artifact, or the version of a package that was measured with."""
    if not isinstance(rule, Names):
        raise TypeError("this budget is a bound on a version")
    if key == "opset":
        if artifact.get("opset") is None:
            return None
        found = str(artifact["opset"])
    else:
        versions = (facts.report.get("environment") or {}).get("versions") or {}
        if key not in versions:
            return missing(f"the report does not say the version of {key}")
        found = str(versions[key])
    form = _FORM.fullmatch(rule.text)
    if form is None:
        raise TypeError("a bound that was read has this form")
    kept = _compare(_parts(found), form[1], _parts(form[2]))
    outcome = Outcome.PASS if kept else Outcome.FAIL
    return Judgement(outcome=outcome, found=found, reason="" if kept else f"not {rule.text}")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _compare(found: tuple[int, ...], operator: str, allowed: tuple[int, ...]) -> bool:
    """Compare versions by the parts that the bound states: 1.32.1 is ``<= 1.32``."""
    stated = found[: len(allowed)]
    return {"<=": stated <= allowed, ">=": stated >= allowed, "==": stated == allowed}[operator]
