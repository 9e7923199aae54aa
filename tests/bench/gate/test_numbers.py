import pytest

from bench.gate.numbers import Estimate, judge, judge_change
from bench.gate.quantity import Bound, Dimension, Limit, parse_limit
from bench.gate.ruling import Outcome

PASS, FAIL, UNCERTAIN = Outcome.PASS, Outcome.FAIL, Outcome.UNCERTAIN


def at_most(text: str, dimension: Dimension = Dimension.SECONDS) -> Limit:
    return parse_limit(text, dimension, Bound.AT_MOST, "here")


def at_least(text: str, dimension: Dimension = Dimension.PERCENT) -> Limit:
    return parse_limit(text, dimension, Bound.AT_LEAST, "here")


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [(8, 10, PASS), (9, 10.01, UNCERTAIN), (10.01, 12, FAIL), (10, 10, PASS)],
)
def test_an_interval_passes_with_its_worse_end(low: float, high: float, outcome: Outcome) -> None:
    found = Estimate(value=(low + high) / 2, low=low, high=high)
    assert judge(at_most("10 s"), found).outcome is outcome


@pytest.mark.parametrize(
    ("low", "high", "outcome"), [(90, 95, PASS), (89, 91, UNCERTAIN), (80, 89.9, FAIL)]
)
def test_a_floor_passes_with_the_lower_end(low: float, high: float, outcome: Outcome) -> None:
    found = Estimate(value=(low + high) / 2, low=low, high=high)
    assert judge(at_least("90 %"), found).outcome is outcome


def test_what_was_not_measured_fails() -> None:
    assert judge(at_most("10 s"), None).outcome is FAIL
    assert judge(at_most("0.5x float"), None).outcome is FAIL
    assert judge(at_most("0.5x float"), Estimate.exact(1.0)).outcome is FAIL
    assert judge(at_most("0.5x float"), Estimate.exact(1.0), float_value=0.0).outcome is FAIL
    assert judge(at_most("+1 s"), Estimate.exact(1.0)).outcome is FAIL
    assert judge_change(at_most("+5 %"), None).outcome is FAIL


def test_a_multiple_of_float_is_counted_from_its_value_or_the_measured_ratio() -> None:
    limit = at_most("0.6x float")
    assert judge(limit, Estimate.exact(5.0), float_value=10.0).outcome is PASS
    assert judge(limit, Estimate.exact(7.0), float_value=10.0).outcome is FAIL
    ratio = Estimate(value=0.5, low=0.4, high=0.65)
    assert judge(limit, Estimate.exact(5.0), float_value=ratio).outcome is UNCERTAIN


@pytest.mark.parametrize(
    ("text", "found", "outcome"),
    [("+10 KB", 110_000, PASS), ("+10 KB", 110_001, FAIL), ("-5 %", 95_000, PASS),
     ("-5 %", 95_001, FAIL)],
)  # fmt: skip
def test_changes_are_counted_from_the_baseline(text: str, found: float, outcome: Outcome) -> None:
    limit = at_most(text, Dimension.BYTES)
    assert judge(limit, Estimate.exact(found), baseline=100_000.0).outcome is outcome


def test_accuracy_may_fall_by_points_of_the_baseline() -> None:
    limit = at_least("-0.3 pt")
    assert judge(limit, Estimate.exact(89.75), baseline=90.0).outcome is PASS
    assert judge(limit, Estimate.exact(89.65), baseline=90.0).outcome is FAIL


@pytest.mark.parametrize(
    ("value", "low", "high", "outcome"),
    [
        (1.00, 0.97, 1.03, PASS),
        (1.04, 1.02, 1.06, PASS),  # significant, but not large
        (1.20, 0.90, 1.50, UNCERTAIN),  # large, but not significant
        (1.15, 1.11, 1.19, FAIL),
        (0.50, 0.49, 0.51, PASS),
    ],
)
def test_a_regression_is_significant_and_large(
    value: float, low: float, high: float, outcome: Outcome
) -> None:
    ratio = Estimate(value=value, low=low, high=high)
    assert judge_change(at_most("+5 %"), ratio).outcome is outcome


def test_far_better_suggests_a_tighter_limit_on_costs_only() -> None:
    assert "tightened" in judge(at_most("10 s"), Estimate.exact(1.0)).hint
    assert judge(at_most("10 s"), Estimate.exact(9.0)).hint == ""
    assert judge(at_most("1 pt", Dimension.POINTS), Estimate.exact(0.0)).hint == ""
