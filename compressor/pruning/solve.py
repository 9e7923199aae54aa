"""Least squares for one layer: the weights whose answers come nearest to given ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Rows of one layer, of the pruned model and of the dense one.

    Attributes:
        inputs: what the weights multiply in the pruned model, [groups, rows, K].
        wanted: what the dense model answers, [rows, outputs].
        beside: what the pruned model adds to the layer's answers, [rows, outputs], or None.
        bounds: between which answers count: those beyond are cut afterwards.
    """

    inputs: Array
    wanted: Array
    beside: Array | None
    bounds: tuple[float, float]

    def error(self, weight: Array, bias: Array) -> float:
        """Return the mean squared difference that *weight* [outputs, K] and *bias* leave."""
        made = _answers(self.inputs, weight, bias)
        made = made if self.beside is None else made + self.beside
        return float(
            np.square(np.clip(made, *self.bounds) - np.clip(self.wanted, *self.bounds)).mean()
        )


def solve(
    problem: Problem, weight: Array, bias: Array, *, damping: float, rounds: int
) -> tuple[Array, Array]:
    """Return weights [outputs, K] and bias that least squares finds, drawn to those given.

    Where a clamp follows, a target beyond its bounds only asks for an answer beyond: after each of
    *rounds*, what is there already is its own target (the expectation step of a Tobit model; He et
    al., "Accelerating Very Deep Convolutional Networks", 2015, relax it likewise).
    """
    groups, width = problem.inputs.shape[0], problem.inputs.shape[2]
    mean = problem.inputs.mean(axis=1, keepdims=True)
    centred = problem.inputs - mean
    rows = centred.shape[1]
    gram = np.matmul(centred.transpose(0, 2, 1), centred).astype(np.float64) / rows
    variance = np.einsum("gkk->g", gram) / width
    ridge = np.maximum(damping * variance, 1e-10)
    factor = gram + np.eye(width) * ridge[:, None, None]
    target = problem.wanted if problem.beside is None else problem.wanted - problem.beside
    old = weight.reshape(groups, -1, width).astype(np.float64)
    pull = ridge[:, None, None] * old.transpose(0, 2, 1)
    made, shift = weight, bias
    for turn in range(1 + (rounds if np.isfinite(problem.bounds).any() else 0)):
        if turn:
            target = _relaxed(problem, _answers(problem.inputs, made, shift))
        level = target.mean(axis=0)
        grouped = (target - level).reshape(rows, groups, -1).transpose(1, 0, 2)
        cross = np.matmul(centred.transpose(0, 2, 1), grouped).astype(np.float64) / rows
        solved = np.linalg.solve(factor, cross + pull).transpose(0, 2, 1)
        made = solved.reshape(weight.shape).astype(np.float32)
        shift = (level - np.einsum("gok,gk->go", solved, mean[:, 0]).ravel()).astype(np.float32)
    return made, shift


def _relaxed(problem: Problem, made: Array) -> Array:
    """Return targets that ask of what lies beyond the bounds no more than to lie there."""
    beside = 0.0 if problem.beside is None else problem.beside
    low, high = problem.bounds
    have, wanted = made + beside, problem.wanted
    target = np.where(wanted <= low, np.minimum(have, low), wanted)
    target = np.where(wanted >= high, np.maximum(have, high), target)
    return np.asarray(target - beside, np.float32)


def _answers(inputs: Array, weight: Array, bias: Array) -> Array:
    """Return inputs [groups, rows, K] times weights [outputs, K], [rows, outputs]."""
    groups, rows, width = inputs.shape
    parts = np.matmul(inputs, weight.reshape(groups, -1, width).transpose(0, 2, 1))
    return np.asarray(parts.transpose(1, 0, 2).reshape(rows, -1) + bias)
