"""A budget is met on aligned widths, by what does the least damage."""

import numpy as np
import pytest

from compressor.analyses.coupling.analyze import couple
from compressor.errors import Code, EdgecError
from compressor.pruning.allocate import allocate
from compressor.pruning.budget import Measure
from compressor.pruning.costs import CostModel
from compressor.pruning.curves import Curve, levels_of
from tests.coupled import inferred
from tests.graphs import gaussian

MODEL = inferred(
    """g (float[N,8] x) => (float[N,4] y) {
        a = MatMul(x, w0) r = Relu(a) b = MatMul(r, w1) s = Relu(b) y = MatMul(s, w2)
    }""",
    w0=gaussian(8, 16),
    w1=gaussian(16, 22),
    w2=gaussian(22, 4),
)
COUPLING = couple(MODEL)
COST = CostModel(MODEL, COUPLING, Measure.MACS)
WHOLE = 8 * 16 + 16 * 22 + 22 * 4


def curves(*slopes: float) -> list[Curve]:
    return [
        Curve(
            dimension=dimension,
            order=np.arange(len(dimension)),
            gone=np.arange(len(dimension)),
            damage=slope * np.arange(len(dimension)),
        )
        for dimension, slope in zip(COUPLING.prunable, slopes, strict=True)
    ]


def left(gone: dict[str, int]) -> float:
    first, second = (len(d) - gone[d.name] for d in COUPLING.prunable)
    return 8.0 * first + first * second + second * 4.0


@pytest.mark.parametrize("uniform", [False, True])
def test_budget_is_met_closely_on_aligned_widths(uniform: bool) -> None:
    gone = allocate(curves(1.0, 1.0), COUPLING, COST, WHOLE / 2, align=4, uniform=uniform)
    widths = [len(d) - gone[d.name] for d in COUPLING.prunable]
    assert all(width % 4 == 0 for width in widths if width not in (16, 22))
    assert 0.3 * WHOLE < left(gone) <= WHOLE / 2


def test_what_hurts_less_goes() -> None:
    first, second = COUPLING.prunable
    gone = allocate(curves(1.0, 1000.0), COUPLING, COST, 0.6 * WHOLE, align=1)
    assert gone[first.name] > 0
    assert gone[second.name] == 0


def test_budget_out_of_reach() -> None:
    with pytest.raises(EdgecError) as caught:
        allocate(curves(1.0, 1.0), COUPLING, COST, 10.0, align=4)
    assert caught.value.code is Code.PRUNE_BUDGET_OUT_OF_REACH


def test_levels_leave_aligned_widths() -> None:
    first, second = COUPLING.prunable
    assert levels_of(first, 4) == [4, 8, 12]
    assert [(22 - gone) % 4 for gone in levels_of(second, 4)] == [0] * len(levels_of(second, 4))
    assert levels_of(first, 32) == [2, 4, 6, 8, 10, 12, 14]
    assert len(levels_of(second, 1, most=3)) == 3
