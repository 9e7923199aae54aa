"""Structured pruning of one graph: rank units, measure what they matter, divide the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.analyses.coupling.result import Coupling, Dimension
from compressor.calibration.collect import Feeds, RunnerFactory, collect
from compressor.calibration.minmax import MinMaxObserver
from compressor.calibration.moments import Moments
from compressor.catalog import Catalog
from compressor.pruning.allocate import Allocation, allocate
from compressor.pruning.budget import Budget, Measure
from compressor.pruning.costs import CostModel
from compressor.pruning.curves import Curve, by_losses, levels_of, without
from compressor.pruning.divergence import divergence_for
from compressor.pruning.elimination import Elimination
from compressor.pruning.readers import is_linear, readers_of
from compressor.pruning.subject import Subject

Array = npt.NDArray[Any]
Latency = Callable[[ir.Model], float]

IMPORTANCE = Catalog("compressor.pruning.importance")

_EVALUATIONS = 84  # models to try in all, so that many dimensions take no longer than few
_FEWEST_LEVELS = 3
_LATENCY_TRIALS = 6


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Samples to prune by.

    Attributes:
        batches: feeds by input name; can be iterated as often as wanted.
        trial: fewer of them, to compare many models on.
        make_runner: executes a graph and returns chosen values.
        classifies: whether the only output scores classes.
    """

    batches: Iterable[Feeds]
    trial: Sequence[Feeds]
    make_runner: RunnerFactory
    classifies: bool


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
    curves = []
    for number, dimension in enumerate(coupling.prunable, start=1):
        curves.append(_curve(model, coupling, dimension, settings, evidence, moments))
        if progress is not None:
            progress(number, len(coupling.prunable))
    return _divide(model, coupling, curves, settings, latency)


def _moments(
    model: ir.Model, settings: PruneSettings, evidence: Evidence | None
) -> Mapping[str, Moments]:
    if evidence is None or not IMPORTANCE[settings.importance].NEEDS_MOMENTS:
        return {}
    layers = [node for node in model.graph if is_linear(node)]
    table = collect(
        model,
        (),
        evidence.batches,
        make_runner=evidence.make_runner,
        make_observer=MinMaxObserver,
        layers=layers,
    )
    return table.moments


def _curve(
    model: ir.Model,
    coupling: Coupling,
    dimension: Dimension,
    settings: PruneSettings,
    evidence: Evidence | None,
    moments: Mapping[str, Moments],
) -> Curve:
    """Rank the units of *dimension*, and try the model without the first of them."""
    readers = readers_of(model, coupling, dimension, moments)
    subject = Subject(model=model, coupling=coupling, dimension=dimension, readers=tuple(readers))
    measured = settings.allocation is Allocation.SENSITIVITY and evidence is not None
    most = max(_FEWEST_LEVELS, min(7, _EVALUATIONS // max(len(coupling.prunable), 1)))
    levels = levels_of(dimension, settings.align, most)
    found: Elimination = IMPORTANCE[settings.importance].rank(subject, levels if measured else ())
    if not measured or evidence is None or not levels:
        return by_losses(dimension, found)
    informed = [reader for reader in readers if reader.moments is not None]
    damage = [0.0]
    for gone in levels:
        plan = Plan(removed={dimension.name: tuple(sorted(found.order[:gone].tolist()))})
        weights = found.weights.get(gone)
        small = without(model, plan, informed if weights else [], weights or [])
        damage.append(divergence(model, small, evidence))
    return Curve(
        dimension=dimension,
        order=found.order,
        gone=np.array([0, *levels]),
        damage=np.maximum.accumulate(damage),
    )


def divergence(dense: ir.Model, small: ir.Model, evidence: Evidence) -> float:
    """Return how far the answers of *small* are from those of *dense* on the trial samples."""
    names = [value.name or "" for value in dense.graph.outputs]
    want = answers(dense, names, evidence)
    measure = divergence_for(want, classifies=evidence.classifies)
    have = answers(small, names, evidence)
    found = measure(want, have)
    return found if np.isfinite(found) else float(np.finfo(np.float32).max)


def answers(model: ir.Model, names: Sequence[str], evidence: Evidence) -> list[Array]:
    """Return the outputs of *model* on all trial samples."""
    run = evidence.make_runner(model, names)
    batches = [run(feeds) for feeds in evidence.trial]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]


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
