"""Budgets as they stand in a file, and the ruling on each of them."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.gate.facts import Facts, Tree
from bench.gate.kind import Rule, check_key, kind_named, kinds
from bench.gate.numbers import missing
from bench.gate.ruling import Judgement, Level, Outcome, Ruling
from compressor.catalog import nearest
from compressor.errors import Code, EdgecError

ARTIFACT = "artifact"
_LIMIT, _LEVEL = "limit", "level"

Path = tuple[str, ...]
Locate = Callable[[Path], tuple[str, int]]
"""From the path of a key to the place that messages name, and its line."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """One budget.

    Attributes:
        kind: file in ``bench/gate/kinds``; key: what of that kind.
        rule: the limit.
        level: what follows when it is broken.
        artifact: pattern of the file names that it is about.
        line: where it stands.
    """

    kind: str
    key: str
    rule: Rule
    level: Level = Level.ERROR
    artifact: str = "*"
    line: int = 0

    @property
    def name(self) -> str:
        """The budget's name, such as ``size.file``."""
        return f"{self.kind}.{self.key}"


def read_budgets(table: Mapping[str, Any], locate: Locate, path: Path = ()) -> list[Budget]:
    """Return the budgets in *table*, the content of ``[budgets]``.

    ``[budgets.artifact."*.tflite"]`` holds budgets for artifacts of that name only.

    Raises:
        EdgecError: ``RECIPE_INVALID`` for an unknown kind, key, level or unit, naming the line.
    """
    budgets = list(_general({k: v for k, v in table.items() if k != ARTIFACT}, locate, path))
    for pattern, content in _table(table.get(ARTIFACT, {}), locate, (*path, ARTIFACT)).items():
        own = (*path, ARTIFACT, pattern)
        budgets += [
            _for_artifact(budget, pattern)
            for budget in _general(_table(content, locate, own), locate, own)
        ]
    return budgets


def rule_all(budgets: Sequence[Budget], facts: Facts) -> list[Ruling]:
    """Return the ruling on every budget for every artifact that it is about."""
    active = [budget for budget in budgets if budget.level is not Level.OFF]
    return [ruling for budget in active for ruling in _rule(budget, facts)]


def _rule(budget: Budget, facts: Facts) -> Iterator[Ruling]:
    judged = False
    for artifact in facts.artifacts():
        name = str(artifact.get("name"))
        if fnmatch.fnmatchcase(name, budget.artifact):
            judgement = _judge(budget, artifact, facts)
            if judgement is not None:
                judged = True
                yield _ruling(budget, name, judgement)
    if not judged:
        absent = missing(
            "no artifact was measured for this", "look at --to and at the target's name"
        )
        yield _ruling(budget, "", absent)


def _judge(budget: Budget, artifact: Tree, facts: Facts) -> Judgement | None:
    if artifact.get("name") in facts.stale:
        return Judgement(
            outcome=Outcome.FAIL,
            found="another file",
            reason="the file is not the one that was measured",
            hint="compile again",
        )
    return kind_named(budget.kind).rule(budget.rule, budget.key, artifact, facts)


def _ruling(budget: Budget, artifact: str, judgement: Judgement) -> Ruling:
    return Ruling(
        budget=budget.name,
        artifact=artifact,
        limit=budget.rule.text,
        level=budget.level,
        judgement=judgement,
        line=budget.line,
    )


def _general(table: Mapping[str, Any], locate: Locate, path: Path) -> Iterator[Budget]:
    for kind, entries in table.items():
        where, _ = locate((*path, kind))
        check_key(kind, [*kinds(), ARTIFACT], where)
        for key, given in _table(entries, locate, (*path, kind)).items():
            yield _budget(kind, key, given, locate((*path, kind, key)))


def _budget(kind: str, key: str, given: object, place: tuple[str, int]) -> Budget:
    where, line = place
    level = Level.ERROR
    if isinstance(given, Mapping):
        _check_entry(given, where)
        level = _level(given.get(_LEVEL, Level.ERROR.value), where)
        given = given[_LIMIT]
    rule = kind_named(kind).read(key, given, where)
    return Budget(kind=kind, key=key, rule=rule, level=level, line=line)


def _check_entry(given: Mapping[str, Any], where: str) -> None:
    for key in given:
        if key not in (_LIMIT, _LEVEL):
            raise _invalid(f"unknown key '{key}'", where, nearest(key, [_LIMIT, _LEVEL]))
    if _LIMIT not in given:
        raise _invalid("the limit is missing", where, '{ limit = "...", level = "warn" }')


def _level(given: object, where: str) -> Level:
    names = [level.value for level in Level]
    if given not in names:
        raise _invalid(f"there is no level {given!r}", where, nearest(str(given), names))
    return Level(given)


def _for_artifact(budget: Budget, pattern: str) -> Budget:
    return Budget(
        kind=budget.kind,
        key=budget.key,
        rule=budget.rule,
        level=budget.level,
        artifact=pattern,
        line=budget.line,
    )


def _table(value: object, locate: Locate, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _invalid(f"'{path[-1]}' is {value!r}", locate(path)[0], "a table of budgets")
    return value


def _invalid(what: str, where: str, expected: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=where, expected=expected)
