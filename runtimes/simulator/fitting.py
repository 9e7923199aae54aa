"""From a device's own times to its profile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from compressor.errors import Code, EdgecError
from runtimes.simulator.anchors import measured_device, predict
from runtimes.simulator.features import NAMES, Matrix, Vector
from runtimes.simulator.population import Population, Posterior
from runtimes.simulator.profile import Core, Fit, Profile, Source
from runtimes.simulator.shipped import shipped

LEAST_TIMES = 3


def calibrated_profile(
    times_ms: Mapping[str, float],
    quantities: Mapping[str, Vector],
    *,
    core: Core,
    threads: int,
    source: Source,
) -> Profile:
    """Return a profile from a user's own times of models with known quantities, by model.

    Raises:
        EdgecError: ``DATA_EMPTY`` for fewer than three times.
    """
    if len(times_ms) < LEAST_TIMES:
        raise EdgecError(
            Code.DATA_EMPTY,
            f"there are {len(times_ms)} times",
            expected=f"at least {LEAST_TIMES} models, of different kinds",
        )
    known = shipped(threads)
    names = sorted(times_ms)
    table = np.array([quantities[name] for name in names])
    log_ms = np.log([times_ms[name] for name in names])
    device = measured_device(known.population, table, log_ms)
    scales = known.scales_for(len(names))
    return make_profile(
        device,
        known.population.noise,
        scales,
        runtime="own",
        threads=threads,
        cores="all",
        core=core,
        float_arithmetic="fp32",
        precisions=_precisions(table),
        anchors=tuple(names),
        fit=Fit(models=len(names), mape_percent=left_out_error(known.population, table, log_ms)),
        source=source,
        tier="calibrated",
    )


def make_profile(
    device: Posterior,
    noise: float,
    scales: tuple[float, float],
    **facts: Any,  # noqa: ANN401 - fields of a dataclass, each of its own type
) -> Profile:
    """Return the profile with the prices of *device*; *facts* are its other fields."""
    spread = np.sqrt(np.diag(device.covariance))
    return Profile(
        noise=float(np.sqrt(noise)),
        interval80=scales[0],
        interval90=scales[1],
        price_ns=dict(zip(NAMES, np.exp(device.mean).tolist(), strict=True)),
        price_spread=dict(zip(NAMES, spread.tolist(), strict=True)),
        **facts,
    )


def left_out_error(population: Population, quantities: Matrix, log_ms: Vector) -> float:
    """Return the mean error, in percent, of each time predicted from the others on the device."""
    errors = []
    for each in range(len(log_ms)):
        others = np.arange(len(log_ms)) != each
        device = measured_device(population, quantities[others], log_ms[others])
        predicted, _ = predict(device, population.noise, quantities[[each]])
        errors.append(abs(float(np.expm1(predicted[0] - log_ms[each]))))
    return 100 * float(np.mean(errors))


def _precisions(quantities: Matrix) -> tuple[str, ...]:
    integer = np.array([name.endswith("_int8") for name in NAMES])
    has_integer = (quantities[:, integer] > 0).any(1)
    return tuple(
        name
        for name, there in (("float", (~has_integer).any()), ("int8", has_integer.any()))
        if there
    )
