"""Which models to measure on a new device, and what their times say of all others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtimes.simulator.features import Matrix, Vector
from runtimes.simulator.population import Measurements, Population, Posterior, posterior, shares


def choose_anchors(
    population: Population, quantities: Matrix, count: int, *, goals: Matrix | None = None
) -> list[int]:
    """Return the models whose times would tell most of the others, best first.

    Greedy A-optimal design: each next one leaves the least summed variance of predicted log times.
    No time is looked at.

    *quantities* [models, prices] are those of the models that can be measured, *goals* [models,
    prices] of those to predict, by default the same.
    """
    share, _ = shares(quantities, population.mean[None])
    goal = share if goals is None else shares(goals, population.mean[None])[0]
    covariance, chosen = population.covariance, list[int]()
    error = population.noise + 0.01  # the mean's own misfit, so that no anchor is trusted wholly
    while len(chosen) < min(count, len(quantities)):
        told = np.einsum("nk,mk->nm", goal[0] @ covariance, share[0])
        known = np.einsum("mk,kl,ml->m", share[0], covariance, share[0]) + error
        gain = (told**2).sum(0) / known
        gain[chosen] = -1.0
        best = int(gain.argmax())
        column = covariance @ share[0, best]
        covariance = covariance - np.outer(column, column) / known[best]
        chosen.append(best)
    return chosen


def measured_device(
    population: Population, quantities: Matrix, log_ms: Sequence[float] | Vector
) -> Posterior:
    """Return one device's log prices from the times of models, *quantities* [models, prices]."""
    times = np.asarray(log_ms, dtype=np.float64)[None]
    data = Measurements(quantities=quantities, log_ms=times, seen=np.ones_like(times))
    return posterior(population, data)


def predict(device: Posterior, noise: float, quantities: Matrix) -> tuple[Vector, Vector]:
    """Return log milliseconds and their variances, [models] each."""
    share, log_time = shares(quantities, device.mean[None])
    variance = np.einsum("mk,kl,ml->m", share[0], device.covariance, share[0], optimize=True)
    return log_time[0], variance + noise
