"""Predictions add up, widen with doubt, and stop where nothing was measured."""

import dataclasses

import pytest

from runtimes.estimate import Tier
from runtimes.simulator.profile import Profile, find_device
from runtimes.simulator.simulate import simulate
from runtimes.simulator.work import Kind
from tests.runtimes.simulator.devices import conv, dense, depthwise, simple

NET = [conv(3, 32, 112, window=9), depthwise(32, 112), conv(32, 64, 112), dense(64, 1000)]


@pytest.fixture
def profile() -> Profile:
    return find_device("raspberry-pi-4").profiles[0]


def test_the_time_is_the_sum_over_operators(profile: Profile) -> None:
    found = simulate(NET, profile, runtime="ncnn")
    assert found.tier is Tier.PROFILE
    assert found.latency_ms is not None
    total = sum(ms for _, ms in found.by_operator)
    assert found.latency_ms.median == pytest.approx(total)
    assert total > 0.1 * 59  # a core of 1.8 GHz cannot do 29 million MACs in a tenth of that


def test_intervals_are_nested_around_the_median(profile: Profile) -> None:
    spread = simulate(NET, profile, runtime="ncnn").latency_ms
    assert spread is not None
    assert spread.low90 < spread.low80 < spread.median < spread.high80 < spread.high90


def test_another_library_is_said_and_widens_the_interval(profile: Profile) -> None:
    own = simulate(NET, profile, runtime="ncnn")
    other = simulate(NET, profile, runtime="litert")
    assert own.latency_ms
    assert other.latency_ms
    width = [s.high90 / s.low90 for s in (own.latency_ms, other.latency_ms)]
    assert width[1] > width[0]
    assert any("litert" in reason for reason in other.reasons)
    assert not any("litert" in reason for reason in own.reasons)


def test_attention_is_unknown_with_the_reason(profile: Profile) -> None:
    attention = dataclasses.replace(
        simple(Kind.UNCOVERED, 64 * 64), name="scores", macs=64 * 64 * 384
    )
    found = simulate([*NET, *[attention] * 20], profile, runtime="ncnn")
    assert found.tier is Tier.UNKNOWN
    assert found.latency_ms is None
    assert found.uncovered > 0.1
    assert any("'scores'" in reason for reason in found.reasons)


def test_a_little_of_the_unknown_lowers_the_tier(profile: Profile) -> None:
    found = simulate([*NET, simple(Kind.UNCOVERED, 100)], profile, runtime="ncnn")
    assert found.tier is Tier.ZERO
    assert 0 < found.uncovered < 0.1
    assert found.latency_ms is not None


def test_integers_on_a_device_without_integer_rows_are_unknown(profile: Profile) -> None:
    floats = dataclasses.replace(profile, precisions=("float",))
    integer = [dataclasses.replace(work, integer=True) for work in NET]
    assert simulate(integer, floats, runtime="ncnn").tier is Tier.UNKNOWN
    assert simulate(integer, profile, runtime="ncnn").tier is Tier.PROFILE


def test_own_times_are_a_tier_of_their_own(profile: Profile) -> None:
    own = dataclasses.replace(profile, tier="calibrated", runtime="own")
    found = simulate(NET, own, runtime="litert")
    assert found.tier is Tier.CALIBRATED
    assert not any("litert" in reason for reason in found.reasons)


def test_a_model_without_work_has_no_time(profile: Profile) -> None:
    found = simulate([simple(Kind.FREE, 10)], profile, runtime="ncnn")
    assert (found.tier, found.latency_ms) == (Tier.UNKNOWN, None)
