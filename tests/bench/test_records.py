from __future__ import annotations

import dataclasses
import json
import math

import pytest

from bench.records import Interval, Latency, Record, Verdict

MEDIAN = Interval(value=2.0, low=1.5, high=2.5)


def test_json_holds_every_field_in_order() -> None:
    latency = Latency(
        label="float",
        runtime="ort",
        threads=1,
        median_ns=MEDIAN,
        verdict=Verdict.STABLE,
        repeats=2,
        elapsed_ns=(1, 2),
    )
    tree = latency.to_json()
    assert list(tree) == [field.name for field in dataclasses.fields(Latency)]
    assert tree["median_ns"] == {"value": 2.0, "low": 1.5, "high": 2.5}
    assert tree["verdict"] == "stable"
    assert tree["elapsed_ns"] == [1, 2]
    assert json.loads(json.dumps(tree, allow_nan=False)) == tree


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_numbers_that_json_lacks_become_null(number: float) -> None:
    assert Interval(value=number, low=0.0, high=1.0).to_json()["value"] is None


def test_collections_of_records_are_followed() -> None:
    @dataclasses.dataclass(frozen=True)
    class Outer(Record):
        several: tuple[Interval, ...]
        named: dict[str, Interval]
        nothing: Interval | None = None

    assert Outer((MEDIAN,), {"a": MEDIAN}).to_json() == {
        "several": [MEDIAN.to_json()],
        "named": {"a": MEDIAN.to_json()},
        "nothing": None,
    }


def test_relative_width() -> None:
    assert MEDIAN.relative_width == 0.5
    assert Interval(value=-2.0, low=-3.0, high=-1.0).relative_width == 1.0
    assert Interval(value=0.0, low=0.0, high=0.0).relative_width == math.inf
