"""The fit finds the prices that made the times."""

import numpy as np
import pytest

from runtimes.simulator.anchors import choose_anchors, measured_device, predict
from runtimes.simulator.population import Measurements, fit_population, posterior, shares
from tests.runtimes.simulator.devices import devices
from tests.tolerances import proportion

NOISE = 0.05


@pytest.fixture(scope="module")
def data() -> Measurements:
    return devices(0, count=30, models=16, noise=NOISE)[0]


def test_shares_are_of_the_whole(data: Measurements) -> None:
    population = fit_population(data)
    share, log_time = shares(data.quantities, population.mean[None])
    np.testing.assert_allclose(share.sum(2), 1)
    np.testing.assert_allclose(
        log_time[0], np.log(data.quantities @ np.exp(population.mean)), rtol=1e-12
    )


def test_new_devices_are_predicted_from_five_times_within_what_is_stated(
    data: Measurements,
) -> None:
    population = fit_population(data)
    new, _ = devices(0, count=60, models=16, noise=NOISE)
    inside = total = 0
    errors = []
    chosen = choose_anchors(population, data.quantities, 5)
    for log_ms in new.log_ms[30:]:
        device = measured_device(population, data.quantities[chosen], log_ms[chosen])
        others = [i for i in range(16) if i not in chosen]
        predicted, variance = predict(device, population.noise, data.quantities[others])
        error = predicted - log_ms[others]
        inside += int((np.abs(error) <= 1.645 * np.sqrt(variance)).sum())
        total += len(others)
        errors += list(np.abs(error))
    assert inside / total >= 0.9 - proportion(0.9, total)
    assert np.median(errors) < 3 * NOISE  # noise, and the error of prices from five noisy times


def test_anchors_are_spread_and_repeatable(data: Measurements) -> None:
    population = fit_population(data)
    chosen = choose_anchors(population, data.quantities, 5)
    assert len(set(chosen)) == 5
    assert chosen == choose_anchors(population, data.quantities, 5)
    assert choose_anchors(population, data.quantities, 99) == choose_anchors(
        population, data.quantities, 16
    )


def test_anchors_leave_less_doubt_than_the_same_number_of_others(data: Measurements) -> None:
    population = fit_population(data)
    chosen = choose_anchors(population, data.quantities, 4)
    log_ms = data.log_ms[0]

    def doubt(models: list[int]) -> float:
        device = measured_device(population, data.quantities[models], log_ms[models])
        return float(predict(device, population.noise, data.quantities)[1].sum())

    rng = np.random.default_rng(1)
    others = [doubt(list(rng.permutation(16)[:4])) for _ in range(20)]
    assert doubt(chosen) < np.median(others)


def test_without_times_a_device_is_the_population(data: Measurements) -> None:
    population = fit_population(data)
    nothing = Measurements(
        quantities=data.quantities, log_ms=data.log_ms[:1], seen=np.zeros((1, 16))
    )
    found = posterior(population, nothing)
    np.testing.assert_allclose(found.mean, population.mean)
    np.testing.assert_allclose(found.covariance, population.covariance, rtol=1e-6)


def test_one_wild_time_does_not_move_a_device(data: Measurements) -> None:
    population = fit_population(data)
    clean, wild = data.log_ms[3].copy(), data.log_ms[3].copy()
    wild[5] += np.log(20)
    before = measured_device(population, data.quantities, clean)
    after = measured_device(population, data.quantities, wild)
    moved = predict(before, 0, data.quantities)[0] - predict(after, 0, data.quantities)[0]
    # One sixteenth of log 20 is 0.19: what the mean of all times would move by.
    assert np.abs(np.delete(moved, 5)).mean() < np.log(20) / 16 / 2


def test_a_strange_device_among_many_changes_the_mean_little(data: Measurements) -> None:
    strange = data.log_ms.copy()
    strange[0, ::2] += 3
    changed = Measurements(quantities=data.quantities, log_ms=strange, seen=data.seen)
    before, after = fit_population(data), fit_population(changed)
    level = np.log(data.quantities @ np.exp(after.mean)) - np.log(
        data.quantities @ np.exp(before.mean)
    )
    assert np.abs(level).max() < 3 / 10
