"""Budgets are read as people write them, or refused with the nearest that exists."""

import pytest

from compressor.errors import Code, EdgecError
from compressor.pruning.budget import Budget, Measure


@pytest.mark.parametrize(
    ("text", "bound", "shown"),
    [
        ("macs=50%", 500.0, "macs=50%"),
        ("params=0.4", 400.0, "params=40%"),
        (" size = 2MB ", 2e6, "size=2e+06"),
        ("macs=20M", 20e6, "macs=2e+07"),
    ],
)
def test_bound(text: str, bound: float, shown: str) -> None:
    budget = Budget.parse(text, "--prune")
    assert budget.bound(1000.0) == bound
    assert str(budget) == shown
    assert Budget.parse("latency=60%", "").measure is Measure.LATENCY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("half", "no budget"),
        ("mac=50%", "did you mean 'macs'"),
        ("macs=0%", "leaves nothing"),
        ("macs=100%", "leaves nothing"),
        ("latency=5", "as a share"),
        ("macs=5%%", "no budget"),
        ("macs=1.2.3%", "no budget"),
    ],
)
def test_refusal(text: str, message: str) -> None:
    with pytest.raises(EdgecError, match=message) as caught:
        Budget.parse(text, "--prune")
    assert caught.value.code is Code.RECIPE_INVALID
