"""The gate: collect what is known of a compiled folder, and rule on every budget."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.gate.budget import Budget, rule_all
from bench.gate.facts import Facts, Tree, files_of, read_report, stale_artifacts
from bench.gate.quantity import Against, Limit
from bench.gate.ruling import Level, Outcome, Ruling
from compressor.baseline import COMPARISON_SECONDS, time_against
from compressor.errors import Code, EdgecError
from compressor.job import Job
from runtimes.estimate import Spread, Tier, estimate, is_estimated

_CERTAIN = ("size", "integer", "ops")
"""Kinds of budgets whose values are final before anything is run."""

_ESTIMATED = ("latency", "arena", "flash", "energy")
"""Kinds of budgets that may be about a target which is not timed here."""


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
        estimates=[*(report.get("estimates") or ()), *_estimates(folder, report, budgets)],
        baseline=None if baseline is None else read_report(baseline),
        comparisons=comparisons,
        stale=stale_artifacts(folder, report),
    )


def _estimates(folder: Path, report: Tree, budgets: Sequence[Budget]) -> Iterator[Tree]:
    """Ask each target that is not timed here, once for each artifact that it may take."""
    said = {entry.get("target") for entry in report.get("estimates") or ()}
    targets = {budget.key for budget in budgets if budget.kind in _ESTIMATED} - said
    for target in sorted(target for target in targets if is_estimated(target)):
        for record in report.get("artifacts") or ():
            name = files_of(record)[0]
            if (folder / name).is_file():
                answer = _answer(target, folder / name)
                if answer is not None:
                    yield {"target": target, "artifact": name, **answer}


def _answer(target: str, path: Path) -> Tree | None:
    """Return what *target* says of the file; None where it takes no files like it."""
    try:
        found = estimate(target, path)
    except EdgecError as error:
        if error.code is Code.RUNTIME_REFUSED:
            return None
        if error.code is Code.RUNTIME_UNAVAILABLE:
            return {"tier": Tier.UNKNOWN.name, "reason": error.what}
        raise
    answer: dict[str, Any] = {"tier": found.tier.name, "reason": "; ".join(found.reasons)}
    if found.latency_ms is not None:
        answer["seconds"] = _interval(found.latency_ms)
    if found.energy_mj is not None:
        answer["joules"] = _interval(found.energy_mj)
    if found.memory is not None:
        answer["arena"] = found.memory.arena
        answer["flash"] = found.memory.weights + found.memory.overhead
    return answer


def _interval(spread: Spread) -> Tree:
    """Return a spread in thousandths as a value with the interval that holds nine times of ten."""
    ends = {"value": spread.median, "low": spread.low90, "high": spread.high90}
    return {name: end * 1e-3 for name, end in ends.items()}


def foresee(job: Job) -> None:
    """Stop a compilation whose written artifacts are already known to break a budget.

    Raises:
        EdgecError: ``BUDGET_MISSED``, with the first broken budget.
    """
    certain = [budget for budget in job.budgets if _is_certain(budget)]
    report = {
        "artifacts": [record.to_json() for record in job.artifacts],
        "source": job.record.to_json(),
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
