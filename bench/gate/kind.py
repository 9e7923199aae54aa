"""What each kind of budget defines: how its limits are written, and how it judges an artifact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from bench.gate.facts import Facts, Tree, number_at
from bench.gate.numbers import Estimate, judge
from bench.gate.quantity import Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Judgement
from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError

_FOLDER = Catalog("bench.gate.kinds")


@dataclass(frozen=True, kw_only=True)
class Names:
    """A limit that is a list of names."""

    names: frozenset[str]
    text: str


Rule = Limit | Names


class Kind(Protocol):
    """A module of ``bench/gate/kinds``; its name is the first part of a budget's."""

    def read(self, key: str, given: object, where: str) -> Rule:
        """Return the rule that *given* states for *key*; ``RECIPE_INVALID`` naming *where*."""
        ...

    def rule(self, rule: Rule, key: str, artifact: Tree, facts: Facts) -> Judgement | None:
        """Judge *artifact*; None when the budget is not about it."""
        ...


def kinds() -> list[str]:
    """Return the name of every kind of budget."""
    return list(_FOLDER)


def kind_named(name: str) -> Kind:
    """Return the kind called *name*."""
    return cast("Kind", _FOLDER[name])


def read_limit(
    key: str, given: object, where: str, known: Mapping[str, tuple[Dimension, Bound]]
) -> Limit:
    """Return the limit for one of the *known* keys; ``RECIPE_INVALID`` names the nearest."""
    check_key(key, known, where)
    dimension, bound = known[key]
    return parse_limit(given, dimension, bound, where)


def check_key(key: str, known: Iterable[str], where: str) -> None:
    """Raise ``RECIPE_INVALID`` for a *key* that is not *known*."""
    names = list(known)
    if key not in names:
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"there is no budget '{key}'",
            where=where,
            expected=nearest(key, names),
        )


def judge_exact(
    rule: Rule, artifact: Tree, facts: Facts, path: tuple[str, ...], *, source: bool = False
) -> Judgement:
    """Judge the exact number under *path* of *artifact*, held against the baseline's.

    With *source*, multiples of the float model are counted from the source's number there.
    """
    if not isinstance(rule, Limit):
        raise TypeError("this budget is a limit on a number")
    value = number_at(artifact, *path)
    return judge(
        rule,
        None if value is None else Estimate.exact(value),
        float_value=number_at(facts.report, "source", *path) if source else None,
        baseline=number_at(facts.baseline_of(artifact), *path),
    )
