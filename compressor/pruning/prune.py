"""Structured pruning of one graph: rank units, measure what they matter, divide the budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.analyses.coupling.result import Coupling
from compressor.calibration.collect import collect
from compressor.calibration.minmax import MinMaxObserver
from compressor.calibration.moments import Moments
from compressor.calibration.table import CalibrationTable
from compressor.catalog import Catalog
from compressor.pruning.allocate import allocate
from compressor.pruning.budget import Allocation, Budget, Measure
from compressor.pruning.costs import CostModel
from compressor.pruning.curves import Curve, by_losses, levels_of, without
from compressor.pruning.elimination import Elimination
from compressor.pruning.evidence import Evidence, Judge
from compressor.pruning.readers import is_linear, readers_of
from compressor.pruning.subject import Subject

Array = npt.NDArray[Any]
Latency = Callable[[ir.Model], float]

IMPORTANCE = Catalog("compressor.pruning.importance")

_EVALUATIONS = 84  # models to try in all, so that many dimensions take no longer than few
_FEWEST_LEVELS = 3
_LATENCY_TRIALS = 6


@dataclass(frozen=True, kw_only=True)
class PruneSettings:
    """How to prune.

    Attributes:
        budget: how much may be left.
        importance: a file in ``compressor/pruning/importance``.
        allocation: how the budget is divided.
        align: widths that stay are multiples of it.
    """

    budget: Budget
    importance: str = "obs"
    allocation: Allocation = Allocation.SENSITIVITY
    align: int = 4


def plan_pruning(
    model: ir.Model,
    settings: PruneSettings,
    evidence: Evidence | None,
    *,
    latency: Latency | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Plan:
    """Return what is to go from the canonical float *model*; the model stays as it is.

    Without *evidence*, or with one that it does not need, importance goes by weights alone.

    Raises:
        EdgecError: ``PRUNE_BUDGET_OUT_OF_REACH``.
    """
    coupling = couple(model)
    moments = _moments(model, settings, evidence)
    measured = settings.allocation is Allocation.SENSITIVITY and evidence is not None
    judge = Judge(model, evidence) if measured and evidence is not None else None
    curves = []
    for number, dimension in enumerate(coupling.prunable, start=1):
        readers = readers_of(model, coupling, dimension, moments)
        subject = Subject(
            model=model, coupling=coupling, dimension=dimension, readers=tuple(readers)
        )
        curves.append(_curve(subject, settings, judge))
        if progress is not None:
            progress(number, len(coupling.prunable))
    return _divide(model, coupling, curves, settings, latency)


def _moments(
    model: ir.Model, settings: PruneSettings, evidence: Evidence | None
) -> Mapping[str, Moments]:
    if evidence is None or not IMPORTANCE[settings.importance].NEEDS_MOMENTS:
        return {}
    return moments_table(model, evidence).moments


def moments_table(model: ir.Model, evidence: Evidence) -> CalibrationTable:
    """Return the moments of the inputs of every dense layer of *model*."""
    return collect(
        model,
        (),
        evidence.batches,
        make_runner=evidence.make_runner,
        make_observer=MinMaxObserver,
        layers=[node for node in model.graph if is_linear(node)],
    )


def _curve(subject: Subject, settings: PruneSettings, judge: Judge | None) -> Curve:
    """Rank the units of a dimension, and try the model without the first of them."""
    model, coupling, dimension = subject.model, subject.coupling, subject.dimension
    most = max(_FEWEST_LEVELS, min(7, _EVALUATIONS // max(len(coupling.prunable), 1)))
    levels = levels_of(dimension, settings.align, most)
    found: Elimination = IMPORTANCE[settings.importance].rank(subject, levels if judge else ())
    if judge is None or not levels:
        return by_losses(dimension, found)
    informed = [reader for reader in subject.readers if reader.moments is not None]
    damage = [0.0]
    for gone in levels:
        plan = Plan(removed={dimension.name: tuple(sorted(found.order[:gone].tolist()))})
        weights = found.weights.get(gone)
        small = without(model, plan, informed if weights else [], weights or [])
        damage.append(judge.divergence(small))
    return Curve(
        dimension=dimension,
        order=found.order,
        gone=np.array([0, *levels]),
        damage=np.maximum.accumulate(damage),
    )


def _divide(
    model: ir.Model,
    coupling: Coupling,
    curves: Sequence[Curve],
    settings: PruneSettings,
    latency: Latency | None,
) -> Plan:
    cost = CostModel(model, coupling, settings.budget.measure)
    whole = cost.of(coupling.removed(np.zeros(0, np.int64)))

    def divide(bound: float) -> Plan:
        gone = allocate(
            curves,
            coupling,
            cost,
            bound,
            align=settings.align,
            uniform=settings.allocation is Allocation.UNIFORM,
        )
        removed = {c.dimension.name: c.removed(gone[c.dimension.name]) for c in curves}
        return Plan(removed={name: places for name, places in removed.items() if places})

    bound = settings.budget.bound(whole)
    if settings.budget.measure is not Measure.LATENCY or latency is None:
        return divide(bound)
    return _by_latency(model, divide, whole, settings.budget, latency)


def _by_latency(
    model: ir.Model,
    divide: Callable[[float], Plan],
    whole: float,
    budget: Budget,
    latency: Latency,
) -> Plan:
    """Return the plan with the most MACs whose measured time is within *budget*, by bisection."""
    wanted = budget.bound(latency(model))
    low, high, best = 0.05, 1.0, None
    for _ in range(_LATENCY_TRIALS):
        share = (low + high) / 2
        plan = divide(share * whole)
        if latency(without(model, plan, [], [])) <= wanted:
            low, best = share, plan
        else:
            high = share
    return best if best is not None else divide(low * whole)
