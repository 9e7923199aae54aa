"""What pruning did, and a plan as a file that can be applied again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressor.analyses.cost import Cost
from compressor.analyses.coupling.plan import Plan
from compressor.analyses.coupling.result import Coupling
from compressor.errors import Code, EdgecError

_VERSION = 1
_LARGEST_FILE = 64 << 20


@dataclass(frozen=True, kw_only=True)
class DimensionRow:
    """One dimension: how many units it had and has, and why no fewer."""

    name: str
    total: int
    kept: int
    why: str


@dataclass(frozen=True, kw_only=True)
class PruneSummary:
    """What was removed from a graph.

    Attributes:
        plan: what went.
        fingerprint: the graph that the plan belongs to.
        rows: every dimension, in the order of the graph.
        before: cost of the graph as it was.
        after: its cost without what went.
        recovery: layers re-solved and layers left as they were; empty without data.
    """

    plan: Plan
    fingerprint: str
    rows: tuple[DimensionRow, ...]
    before: Cost
    after: Cost
    recovery: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as a JSON-ready mapping."""
        return {
            "dimensions": [vars(row) for row in self.rows],
            "macs": [self.before.macs, self.after.macs],
            "parameters": [self.before.parameters, self.after.parameters],
            "recovery": self.recovery,
        }


def rows_of(coupling: Coupling, plan: Plan, measure: str) -> tuple[DimensionRow, ...]:
    """Return the table of all dimensions under *plan*."""
    rows = []
    for dimension in coupling.dimensions:
        gone = len(plan.removed.get(dimension.name, ()))
        why = dimension.blocked or (measure if gone else "it matters too much for what it saves")
        if not dimension.blocked and len(dimension) == 1:
            why = "one unit must stay"
        rows.append(
            DimensionRow(
                name=dimension.name, total=len(dimension), kept=len(dimension) - gone, why=why
            )
        )
    return tuple(rows)


def plan_text(plan: Plan, fingerprint: str) -> str:
    """Return *plan* as the content of a ``prune_plan.json``."""
    removed = {name: list(places) for name, places in sorted(plan.removed.items())}
    tree = {"schema_version": _VERSION, "fingerprint": fingerprint, "removed": removed}
    return json.dumps(tree, indent=1) + "\n"


def read_plan(path: Path, fingerprint: str) -> Plan:
    """Return the plan in the file at *path*, which must belong to graph *fingerprint*.

    Raises:
        EdgecError: ``PRUNE_PLAN_MISMATCH`` for a file that is no plan, or one of another model.
    """
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise _no_plan(path, "it is too large")
        tree = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _no_plan(path, error.strerror or "it cannot be read") from error
    except ValueError as error:
        raise _no_plan(path, "it is no JSON") from error
    if not isinstance(tree, dict) or not _is_removal(tree.get("removed")):
        raise _no_plan(path, "it does not say what goes")
    if tree.get("schema_version") != _VERSION:
        raise _no_plan(path, f"its schema_version is {tree.get('schema_version')}, not {_VERSION}")
    if tree.get("fingerprint") != fingerprint:
        raise _no_plan(path, f"it belongs to graph {tree.get('fingerprint')}, not {fingerprint}")
    return Plan(removed={name: tuple(places) for name, places in tree["removed"].items()})


def _is_removal(found: object) -> bool:
    return isinstance(found, dict) and all(
        isinstance(places, list) and all(type(place) is int for place in places)
        for places in found.values()
    )


def _no_plan(path: Path, why: str) -> EdgecError:
    return EdgecError(
        Code.PRUNE_PLAN_MISMATCH,
        f"'{path.name}' cannot be applied: {why}",
        where=str(path),
        expected="a prune_plan.json that `edgec compile --prune` wrote for this very model",
        hint="prune the model again with --prune",
    )
