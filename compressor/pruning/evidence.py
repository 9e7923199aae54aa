"""Samples to prune by, and how far a smaller model's answers on them are from the dense one's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.collect import Feeds, RunnerFactory
from compressor.pruning.divergence import divergence_for

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Samples to prune by.

    Attributes:
        batches: feeds by input name; can be iterated as often as wanted.
        trial: fewer of them, to compare many models on.
        count: how many samples there are in all.
        make_runner: executes a graph and returns chosen values.
        classifies: whether the only output scores classes.
    """

    batches: Iterable[Feeds]
    trial: Sequence[Feeds]
    count: int
    make_runner: RunnerFactory
    classifies: bool


class Judge:
    """Compares models with one dense model, whose answers are worked out once."""

    def __init__(self, dense: ir.Model, evidence: Evidence) -> None:
        """Run *dense* on the trial samples of *evidence*."""
        self._evidence = evidence
        self._names = [value.name or "" for value in dense.graph.outputs]
        self._want = answers(dense, self._names, evidence)
        self._measure = divergence_for(self._want, classifies=evidence.classifies)

    def divergence(self, small: ir.Model) -> float:
        """Return how far the answers of *small* are from the dense model's; finite always."""
        found = self._measure(self._want, answers(small, self._names, self._evidence))
        return found if np.isfinite(found) else float(np.finfo(np.float32).max)


def divergence(dense: ir.Model, small: ir.Model, evidence: Evidence) -> float:
    """Return how far the answers of *small* are from those of *dense* on the trial samples."""
    return Judge(dense, evidence).divergence(small)


def answers(model: ir.Model, names: Sequence[str], evidence: Evidence) -> list[Array]:
    """Return the outputs of *model* on all trial samples."""
    run = evidence.make_runner(model, names)
    batches = [run(feeds) for feeds in evidence.trial]
    return [np.concatenate(parts) for parts in zip(*batches, strict=True)]
