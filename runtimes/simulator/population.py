"""Prices of many devices fitted at once: each device's own, their mean, and how they vary.

The model is a nonlinear mixed-effects regression (Lindstrom and Bates, 1990): the logarithm of a
device's time is ``log(quantities @ exp(theta))`` plus noise of Student's t, with a device's log
prices ``theta`` normal around a population mean that itself has a prior. Linearised around each
device's posterior mode, the mean is a generalised least-squares solution and the covariance an
expectation-maximisation step, shrunk to a structured prior. Devices far from all others weigh less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runtimes.simulator.features import Matrix, Vector, prior_log_prices
from runtimes.simulator.prior import covariance

Tensor = npt.NDArray[np.float64]

_TAIL = 4.0  # degrees of freedom of the noise
_DEVICE_TAIL = 8.0  # of the devices around their mean
_ROUNDS = 20
_STEP = 0.7  # largest change of a log price in one iteration
_SPEED_VARIANCE = 1.0  # of the logarithm of a device's overall speed, before any is seen
_LEVEL_VARIANCE = 4.0  # of the mean's overall level, which only measurements tell
_DEVICES_ASSUMED = 60.0  # weight of the prior covariance, in devices


@dataclass(frozen=True, kw_only=True)
class Population:
    """What is known of any device of a kind before it is measured.

    Attributes:
        mean: log prices, [prices]; covariance: between devices and of the mean itself.
        noise: variance of one measured log time around the model.
    """

    mean: Vector
    covariance: Matrix
    noise: float


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """One device's log prices after its measurements: mean [prices] and covariance."""

    mean: Vector
    covariance: Matrix

    def independent(self) -> Posterior:
        """Return the same prices, each with its own spread only."""
        return Posterior(mean=self.mean, covariance=np.diag(np.diag(self.covariance)))


def shares(quantities: Matrix, log_prices: Tensor) -> tuple[Tensor, Tensor]:
    """Return the share of each price in each time, and the log times.

    Shapes: *quantities* [models, prices], *log_prices* [devices, prices]; the results are
    [devices, models, prices] and [devices, models].
    """
    parts = quantities[None] * np.exp(log_prices)[:, None, :]
    total = parts.sum(axis=2)
    return parts / total[:, :, None], np.log(total)


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Times of models on devices.

    Attributes:
        quantities: [models, prices], in millions.
        log_ms: [devices, models] logarithm of milliseconds; any number where not *seen*.
        seen: [devices, models], 1 where measured, else 0.
    """

    quantities: Matrix
    log_ms: Matrix
    seen: Matrix


def fit_population(data: Measurements, prior: Vector | None = None) -> Population:
    """Fit the population of the devices in *data*.

    *prior* holds the log prices expected of such devices, up to their level; by default those of
    CPUs with caches and vector registers.
    """
    fit = _Fit(data, prior_log_prices() if prior is None else prior)
    for round_ in range(_ROUNDS):
        fit.update(steps=2 if round_ else 12)
    return Population(mean=fit.mean, covariance=fit.scatter + fit.mean_variance, noise=fit.noise)


def posterior(population: Population, data: Measurements) -> Posterior:
    """Return the log prices of the one device in *data*; the population's own without any time."""
    precision = _inverse(population.covariance)
    theta = population.mean[None]
    if data.seen.any():
        _, log_time = shares(data.quantities, theta)
        theta = theta + (data.seen * (data.log_ms - log_time)).sum() / data.seen.sum()
    mode = _modes(data, theta, population.mean, precision, population.noise, steps=40)
    return Posterior(mean=mode.theta[0], covariance=mode.covariance[0])


@dataclass(frozen=True, kw_only=True)
class _Modes:
    """Posterior modes [devices, prices], covariances, and weights [devices, models]."""

    theta: Matrix
    covariance: Tensor
    weight: Matrix


def _modes(
    data: Measurements, theta: Matrix, mean: Vector, precision: Matrix, noise: float, *, steps: int
) -> _Modes:
    """Take Gauss-Newton steps towards every device's posterior mode, reweighted for outliers."""
    for _ in range(steps):
        share, log_time = shares(data.quantities, theta)
        residual = data.log_ms - log_time
        weight = data.seen * (_TAIL + 1) / (_TAIL + residual**2 / noise)
        scaled = weight / noise
        hessian = np.einsum("cmk,cm,cml->ckl", share, scaled, share, optimize=True) + precision
        slope = np.einsum("cmk,cm->ck", share, scaled * residual) - (theta - mean) @ precision
        step = np.linalg.solve(hessian, slope[:, :, None])[:, :, 0]
        theta = theta + _limited(step)
        if np.abs(step).max() < 1e-4:
            break
    return _Modes(theta=theta, covariance=_inverse(hessian), weight=weight)


def _limited(step: Tensor) -> Tensor:
    longest = np.abs(step).max(axis=-1, keepdims=True)
    limited: Tensor = step * np.minimum(1.0, _STEP / np.maximum(longest, 1e-9))
    return limited


def _inverse(matrix: Tensor) -> Tensor:
    inverse: Tensor = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    return inverse


class _Fit:
    """The state of one fit; ``update`` improves all parts of it in turn."""

    def __init__(self, data: Measurements, prior: Vector) -> None:
        level = np.ones((len(prior), len(prior)))
        guess = np.log(data.quantities @ np.exp(prior))
        offset = (data.seen * (data.log_ms - guess)).sum(1) / data.seen.sum(1)
        self._data = data
        self._level = level
        self._prior = prior + np.median(offset)
        assumed = covariance(own=0.12, integer=0.2) + _LEVEL_VARIANCE * level
        self._prior_precision = _inverse(assumed)
        self._assumed_scatter = covariance(own=0.15, integer=0.1)
        self.mean = self._prior
        self.mean_variance = np.zeros_like(level)
        self.scatter = self._assumed_scatter + _SPEED_VARIANCE * level
        self.noise = 0.01
        self.theta: Matrix = prior + offset[:, None]

    def update(self, *, steps: int) -> None:
        """Move devices to their modes, then fit mean, covariance and noise to them."""
        precision = _inverse(self.scatter)
        modes = _modes(self._data, self.theta, self.mean, precision, self.noise, steps=steps)
        self.theta = modes.theta
        share, log_time = shares(self._data.quantities, self.theta)
        residual = (self._data.log_ms - log_time) * self._data.seen
        trust = self._trust(modes, precision)
        self._fit_mean(share, residual, modes.weight, trust)
        self._fit_scatter(modes, trust)
        spread = np.einsum("cmk,ckl,cml->cm", share, modes.covariance, share, optimize=True)
        square = modes.weight * residual**2 + np.minimum(self._data.seen, modes.weight) * spread
        self.noise = max(float(square.sum() / self._data.seen.sum()), 1e-4)

    def _trust(self, modes: _Modes, precision: Matrix) -> Vector:
        """Weights of the devices: below 1 for one far from the mean."""
        away = modes.theta - self.mean
        distance = np.einsum("ck,kl,cl->c", away, precision, away)
        distance = distance + np.einsum("kl,clk->c", precision, modes.covariance)
        count = len(self.mean)
        weights: Vector = (_DEVICE_TAIL + count) / (_DEVICE_TAIL + distance)
        return weights

    def _fit_mean(self, share: Tensor, residual: Matrix, weight: Matrix, trust: Vector) -> None:
        """Generalised least squares over all devices, their own deviations integrated out."""
        times = share.shape[1]
        noise = np.einsum("cm,mn->cmn", self.noise / np.maximum(weight, 1e-9), np.eye(times))
        between = share @ self.scatter @ share.transpose(0, 2, 1)
        variance = between / trust[:, None, None] + noise
        target = residual + np.einsum("cmk,ck->cm", share, self.theta)
        solved = np.linalg.solve(variance, share)
        precision = self._prior_precision + np.einsum("cmk,cml->kl", share, solved)
        pull = self._prior_precision @ self._prior + np.einsum("cmk,cm->k", solved, target)
        self.mean_variance = _inverse(precision)
        self.mean = self.mean + _limited(self.mean_variance @ pull - self.mean)

    def _fit_scatter(self, modes: _Modes, trust: Vector) -> None:
        """Covariance of the devices, shrunk to the assumed one, with their speeds free."""
        away = modes.theta - self.mean
        found = (away * trust[:, None]).T @ away + np.einsum("c,ckl->kl", trust, modes.covariance)
        count = len(away)
        speed = max(float(found.mean()) / count, 0.05)
        assumed = self._assumed_scatter + speed * self._level
        self.scatter = (found + assumed * _DEVICES_ASSUMED) / (count + _DEVICES_ASSUMED)
