"""The gate: collect what is known of a compiled folder, and rule on every budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.gate.budget import Budget, rule_all
from bench.gate.facts import Facts, read_report, stale_artifacts
from bench.gate.quantity import Against, Limit
from bench.gate.ruling import Level, Outcome, Ruling
from compressor.baseline import COMPARISON_SECONDS, time_against
from compressor.errors import Code, EdgecError
from compressor.job import Job

_CERTAIN = ("size", "integer", "ops")
"""Kinds of budgets whose values are final before anything is run."""


def collect_facts(
    folder: Path,
    budgets: Sequence[Budget],
    baseline: Path | None,
    *,
    seconds: float = COMPARISON_SECONDS,
) -> Facts:
    """Return what budgets on the compiled *folder* are decided by.

    Where a budget is a change of latency against *baseline*, both are timed now, side by side.

    Raises:
        EdgecError: ``REPORT_UNREADABLE`` for a folder without a usable report.
    """
    report = read_report(folder)
    comparisons: Mapping[str, Mapping[str, Any]] = {}
    if baseline is not None and any(map(_is_latency_change, budgets)):
        comparisons = time_against(folder, report, baseline, seconds=seconds)
    return Facts(
        report=report,
        baseline=None if baseline is None else read_report(baseline),
        comparisons=comparisons,
        stale=stale_artifacts(folder, report),
    )


def foresee(job: Job) -> None:
    """Stop a compilation whose written artifacts are already known to break a budget.

    Raises:
        EdgecError: ``BUDGET_MISSED``, with the first broken budget.
    """
    certain = [budget for budget in job.budgets if _is_certain(budget)]
    report = {
        "artifacts": [record.to_json() for record in job.artifacts],
        "source": job.record.to_json(),
        "quantization": job.summary.to_json(),
    }
    rulings = rule_all(certain, Facts(report=report))
    if broken := [ruling for ruling in rulings if ruling.outcome is Outcome.FAIL]:
        raise _missed(broken)


def _missed(broken: Sequence[Ruling]) -> EdgecError:
    first, *others = broken
    more = f" (and {len(others)} more)" if others else ""
    return EdgecError(
        Code.BUDGET_MISSED,
        f"{first.title} is {first.judgement.found}{more}",
        where=f"line {first.line} of the budgets",
        expected=first.limit,
        hint="loosen the budget, or prune or quantize further",
    )


def _is_certain(budget: Budget) -> bool:
    """Whether nothing that is still to be measured can save the budget."""
    rule = budget.rule
    absolute = not isinstance(rule, Limit) or rule.against in (Against.NOTHING, Against.FLOAT)
    return budget.kind in _CERTAIN and absolute and budget.level is Level.ERROR


def _is_latency_change(budget: Budget) -> bool:
    rule = budget.rule
    change = isinstance(rule, Limit) and rule.against is Against.BASELINE_SHARE
    return budget.kind == "latency" and change and budget.level is not Level.OFF
