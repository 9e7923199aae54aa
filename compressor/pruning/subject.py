"""What a measure of importance sees of one dimension."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.result import Coupling, Dimension
from compressor.pruning.elimination import Elimination
from compressor.pruning.readers import Reader

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One dimension of a model, and the layers that read it."""

    model: ir.Model
    coupling: Coupling
    dimension: Dimension
    readers: tuple[Reader, ...]


def weight_norms(subject: Subject, power: int) -> Matrix:
    """Return the mean over all weights that carry the units of their norm, relative to the mean.

    The norm of a unit in one weight is that of its slice: the sum of absolute values for *power* 1,
    of squares for 2. Shape [units].
    """
    place = np.full(subject.coupling.atoms + 1, -1, np.int64)
    place[subject.dimension.units] = np.arange(len(subject.dimension))
    scores, seen = np.zeros(len(subject.dimension)), 0
    for value in subject.model.graph.initializers.values():
        if value.const_value is None or value.shape is None or len(value.shape) < 2:
            continue
        for axis in range(len(value.shape)):
            atoms = subject.coupling.axes.get((value.name or "", axis))
            if atoms is None:
                continue
            units = place[atoms].max(axis=1, initial=-1)
            if (units < 0).all():
                continue
            array = np.moveaxis(np.abs(value.const_value.numpy()), axis, 0).astype(np.float64)
            norms = (array.reshape(len(array), -1) ** power).sum(axis=1)
            found = np.bincount(units[units >= 0], norms[units >= 0], len(scores))
            scores += found / max(float(found.mean()), 1e-30)
            seen += 1
    return scores / max(seen, 1)


def ranked(scores: Matrix) -> Elimination:
    """Return the elimination of units by ascending *scores*, without making up for them."""
    order = np.argsort(scores, kind="stable")
    total = max(float(scores.sum()), 1e-30)
    return Elimination(order=order, losses=np.cumsum(scores[order])[:-1] / total)
