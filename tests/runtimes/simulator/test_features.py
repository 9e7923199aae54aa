"""Quantities are those of the algorithm that a library would choose."""

import dataclasses

import numpy as np
import pytest

from runtimes.simulator.features import (
    FEATURES,
    NAMES,
    base_name,
    operator_quantities,
    prior_log_prices,
    quantities,
)
from runtimes.simulator.work import Kind, Work
from tests.runtimes.simulator.devices import conv, dense, depthwise, simple


def named(work: Work) -> dict[str, float]:
    found = dict(zip(NAMES, operator_quantities(work) * 1e6, strict=True))
    return {name: round(value, 6) for name, value in found.items() if value}


def test_a_pointwise_convolution_is_a_matrix_product() -> None:
    assert named(conv(16, 32, 8)) == {
        "gemm_mac": 16 * 32 * 64,
        "gemm_traffic": (16 + 32) * 64,
        "weight": 16 * 32,
        "dispatch": 1,
    }


def test_three_by_three_is_winograd_with_whole_tiles() -> None:
    points = 36 * 2 * 2  # a 7x7 output needs 2x2 tiles of 4x4
    assert named(conv(16, 32, 7, window=9)) == {
        "winograd_mac": points * 16 * 32,
        "winograd_transform": points * (16 + 32),
        "weight": 36 * 16 * 32,
        "dispatch": 1,
    }


@pytest.mark.parametrize("change", [{"stride": 2}, {"window": 25}])
def test_other_kernels_and_strides_gather_windows(change: dict[str, int]) -> None:
    found = named(dataclasses.replace(conv(16, 32, 8, window=9), **change))
    assert "conv_mac" in found
    assert "winograd_mac" not in found


def test_channels_off_the_vector_width_cost_extra() -> None:
    assert named(conv(18, 32, 8))["unpacked_mac"] == pytest.approx(0.3 * 18 * 32 * 64)
    assert "unpacked_mac" not in named(conv(16, 32, 8))


def test_groups_are_convolutions_of_their_own() -> None:
    grouped = dataclasses.replace(conv(16, 32, 8), groups=4, macs=16 * 32 * 64 // 4)
    assert named(grouped)["dispatch"] == 5
    assert named(grouped)["gemm_mac"] == 16 * 32 * 64 // 4


def test_integers_have_prices_of_their_own_but_dispatch_has_not() -> None:
    found = named(conv(16, 32, 8, integer=True))
    assert found["gemm_mac_int8"] == 16 * 32 * 64
    assert "gemm_mac" not in found
    assert found["dispatch"] == 1


def test_traffic_beyond_a_cache_is_counted_again() -> None:
    assert named(simple(Kind.ELEMENTWISE, 200_000))["spilled"] == 400_000 - 250_000
    assert "spilled" not in named(simple(Kind.ELEMENTWISE, 100_000))


def test_a_model_is_the_sum_of_its_operators() -> None:
    works = [conv(16, 32, 8), depthwise(32, 8), dense(32, 10)]
    total = np.sum([operator_quantities(work) for work in works], axis=0)
    np.testing.assert_array_equal(quantities(works), total)


def test_what_is_free_costs_nothing() -> None:
    assert named(simple(Kind.FREE, 1000)) == {}


def test_every_price_is_known_beforehand() -> None:
    assert np.isfinite(prior_log_prices()).all()
    assert {base_name(name) for name in NAMES} == set(FEATURES)
