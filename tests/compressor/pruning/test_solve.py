"""Least squares finds weights that answer as wanted, as far as that counts."""

import math

import numpy as np
import pytest

from compressor.pruning.solve import Problem, solve
from tests.graphs import gaussian

NO_BOUNDS = (-math.inf, math.inf)
LINEAR = 1e-3  # a pull of 1e-8 and float32 sums of 400 rows leave no more, relative to the weights


def problem(groups: int, bounds: tuple[float, float]) -> tuple[Problem, np.ndarray, np.ndarray]:
    inputs = gaussian(groups, 400, 6) + 3
    weight, bias = gaussian(groups * 2, 6, seed=1), gaussian(groups * 2, seed=2)
    parts = inputs @ weight.reshape(groups, 2, 6).transpose(0, 2, 1)
    wanted = parts.transpose(1, 0, 2).reshape(400, -1) + bias
    return Problem(inputs=inputs, wanted=wanted, beside=None, bounds=bounds), weight, bias


@pytest.mark.parametrize("groups", [1, 3])
def test_exact_weights_are_found(groups: int) -> None:
    found, weight, bias = problem(groups, NO_BOUNDS)
    start = np.zeros_like(weight)
    made, shift = solve(found, start, np.zeros_like(bias), damping=1e-8, rounds=0)
    assert np.abs(made - weight).max() <= LINEAR * np.abs(weight).max()
    assert found.error(made, shift) <= LINEAR**2
    assert found.error(weight, bias) <= LINEAR**2


def test_what_is_added_beside_is_made_up_for() -> None:
    found, weight, bias = problem(1, NO_BOUNDS)
    shifted = Problem(
        inputs=found.inputs,
        wanted=found.wanted,
        beside=np.ones_like(found.wanted),
        bounds=NO_BOUNDS,
    )
    _, shift = solve(shifted, weight, bias, damping=1e-8, rounds=0)
    assert np.abs(shift - (bias - 1)).max() <= 0.01


def test_rounds_help_where_a_clamp_follows() -> None:
    """Targets that no linear layer reaches below zero, but that a rectified one does."""
    inputs = gaussian(1, 600, 3)
    line = inputs[0] @ gaussian(3, 1, seed=4)
    wanted = np.where(line > 0, line, -5 * np.abs(gaussian(600, 1, seed=5)))
    found = Problem(inputs=inputs, wanted=wanted, beside=None, bounds=(0.0, math.inf))
    zero = np.zeros((1, 3), np.float32), np.zeros(1, np.float32)
    errors = [found.error(*solve(found, *zero, damping=1e-8, rounds=r)) for r in (0, 4, 40)]
    assert errors[0] > errors[1] > errors[2]


def test_strong_damping_keeps_the_weights() -> None:
    found, weight, bias = problem(1, NO_BOUNDS)
    other = weight + 1
    made, _ = solve(found, other, bias, damping=1e9, rounds=0)
    assert np.allclose(made, other, atol=LINEAR)
