"""Invented devices whose true prices are known: what a fit must find."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from runtimes.simulator.features import NAMES, prior_log_prices, quantities
from runtimes.simulator.population import Measurements
from runtimes.simulator.prior import covariance
from runtimes.simulator.work import Kind, Work

Array = npt.NDArray[np.float64]


def conv(cin: int, cout: int, size: int, *, window: int = 1, integer: bool = False) -> Work:
    pixels = size * size
    return Work(
        name="conv",
        kind=Kind.CONV,
        macs=pixels * cin * cout * window,
        weights=cin * cout * window,
        elements_in=pixels * cin,
        elements_out=pixels * cout,
        window=window,
        channels_in=cin,
        channels_out=cout,
        width=size,
        height=size,
        integer=integer,
    )


def depthwise(channels: int, size: int) -> Work:
    elements = size * size * channels
    return Work(
        name="depthwise",
        kind=Kind.DEPTHWISE,
        macs=9 * elements,
        weights=9 * channels,
        elements_in=elements,
        elements_out=elements,
        window=9,
        groups=channels,
        channels_in=channels,
        channels_out=channels,
        width=size,
        height=size,
    )


def simple(kind: Kind, elements: int) -> Work:
    return Work(name=kind.name, kind=kind, elements_in=elements, elements_out=elements)


def dense(cin: int, cout: int) -> Work:
    return Work(
        name="dense",
        kind=Kind.DENSE,
        macs=cin * cout,
        weights=cin * cout,
        elements_in=cin,
        elements_out=cout,
        channels_in=cin,
        channels_out=cout,
    )


def model(rng: np.random.Generator) -> list[Work]:
    """A random network: a stem, some blocks of random kinds and widths, a classifier."""
    works = [conv(3, 32, 112, window=9)]
    size = 56
    for _ in range(int(rng.integers(4, 14))):
        width = int(rng.choice([16, 24, 48, 64, 128, 192]))
        works.append(
            conv(width, int(rng.choice([32, 64, 96])), size, window=int(rng.choice([1, 9])))
        )
        works.append(depthwise(width, size))
        works.append(simple(rng.choice([Kind.ELEMENTWISE, Kind.MOVEMENT]), size * size * width))
        size = max(7, size // int(rng.choice([1, 2])))
    return [*works, dense(512, int(rng.choice([10, 1000, 4000])))]


def devices(seed: int, *, count: int, models: int, noise: float) -> tuple[Measurements, Array]:
    """Times of random models on devices drawn from the prior; also the devices' log prices."""
    rng = np.random.default_rng(seed)
    table = np.array([quantities(model(rng)) for _ in range(models)])
    level = np.ones((len(NAMES), len(NAMES)))
    scatter = covariance(own=0.15, integer=0.1) + level
    prices = rng.multivariate_normal(prior_log_prices() - 3, scatter, size=count)
    log_ms = np.log(np.exp(prices) @ table.T) + noise * rng.standard_normal((count, models))
    return Measurements(quantities=table, log_ms=log_ms, seen=np.ones_like(log_ms)), prices
