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
