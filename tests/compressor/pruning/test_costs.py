"""Predicted costs are those of the graph once it is built."""

import numpy as np
import pytest

from compressor.analyses.cost import cost_of
from compressor.analyses.coupling.analyze import couple
from compressor.pruning.budget import Measure
from compressor.pruning.costs import CostModel
from tests.coupled import GRAPHS
from tests.pruned import random_plan, shrunk


@pytest.mark.parametrize("name", GRAPHS)
def test_prediction_is_exact(name: str) -> None:
    model = GRAPHS[name][0]()
    coupling = couple(model)
    plan = random_plan(coupling)
    small = cost_of(shrunk(model, plan))
    gone = coupling.removed(plan.units(coupling))
    for measure, have in ((Measure.MACS, small.macs), (Measure.PARAMS, small.parameters)):
        assert CostModel(model, coupling, measure).of(gone) == pytest.approx(have)


def test_only_what_is_touched_is_looked_at() -> None:
    model = GRAPHS["decoder"][0]()
    coupling = couple(model)
    cost = CostModel(model, coupling, Measure.MACS)
    units = coupling.prunable[0].units[:1]
    gone = coupling.removed(units)
    assert cost.of(gone, cost.touched(units)) == pytest.approx(cost.of(gone))
    assert cost.of(gone, []) == cost_of(model).macs
    cost.settle(gone)
    assert cost.of(coupling.removed(np.zeros(0, np.int64)), []) == cost.of(gone)
