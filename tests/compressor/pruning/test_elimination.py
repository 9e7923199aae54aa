"""Eliminated inputs cost what least squares says they must, and the rest makes up for them."""

import numpy as np

from compressor.pruning.elimination import Consumer, eliminate
from tests.graphs import gaussian
from tests.tolerances import float64_sum

UNITS, BLOCK, OUTPUTS = 6, 2, 5


def consumer(seed: int = 0) -> Consumer:
    mixed = gaussian(200, UNITS * BLOCK, seed=seed) @ gaussian(UNITS * BLOCK, UNITS * BLOCK, seed=9)
    covariance = np.cov(mixed.T.astype(np.float64))
    weight = gaussian(OUTPUTS, UNITS * BLOCK, seed=seed + 1).astype(np.float64)
    columns = np.arange(UNITS * BLOCK).reshape(UNITS, BLOCK)
    return Consumer.of(weight, covariance, columns, damping=0.01)


def refitted(gone: list[int]) -> tuple[float, np.ndarray]:
    """Return error and weights of the least-squares fit without the inputs of *gone*."""
    fresh = consumer()
    hessian = np.linalg.inv(fresh.inverse)
    stay = np.delete(np.arange(UNITS * BLOCK), fresh.columns[gone].ravel())
    weight = np.zeros_like(fresh.weight)
    cross = fresh.weight @ hessian
    weight[:, stay] = np.linalg.solve(hessian[np.ix_(stay, stay)], cross[:, stay].T).T
    difference = fresh.weight - weight
    return float(np.einsum("ok,kl,ol->", difference, hessian, difference)), weight


def test_loss_of_one_unit_is_that_of_the_refit() -> None:
    made = consumer()
    losses = made.losses(np.arange(UNITS))
    for unit in range(UNITS):
        error, _ = refitted([unit])
        assert np.isclose(losses[unit], error, rtol=float64_sum(10_000))


def test_elimination_one_by_one_ends_at_the_refit() -> None:
    made = consumer()
    found = eliminate([made], UNITS, keep=[3])
    gone = found.order[:3].tolist()
    error, weight = refitted(gone)
    assert np.allclose(found.weights[3][0], weight, atol=float64_sum(1_000_000))
    assert np.isclose(found.losses[2] * made.energy, error, rtol=float64_sum(1_000_000))
    assert sorted(found.order.tolist()) == list(range(UNITS))


def test_unit_that_nobody_reads_goes_first() -> None:
    made = consumer()
    made.weight[:, made.columns[4]] = 0.0
    assert eliminate([made], UNITS).order[0] == 4


def test_copy_of_another_unit_costs_next_to_nothing() -> None:
    made = consumer()
    hessian = np.linalg.inv(made.inverse)
    base = np.linalg.cholesky(hessian)
    base[made.columns[1]] = base[made.columns[0]]
    twin = Consumer.of(made.weight, base @ base.T, made.columns, damping=1e-9)
    losses = twin.losses(np.arange(UNITS))
    assert losses[:2].max() < 1e-3 * losses[2:].min()
