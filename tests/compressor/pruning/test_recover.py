"""Layers make up for what was removed, or stay as they were."""

import dataclasses

import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.ir.rewrite import set_constant
from compressor.passes.protocol import PassContext
from compressor.pruning.budget import Allocation, Budget
from compressor.pruning.evidence import Evidence, divergence
from compressor.pruning.prune import PruneSettings, plan_pruning
from compressor.pruning.recover import Recover
from tests.coupled import inferred
from tests.graphs import Feeds, gaussian
from tests.pruned import shrunk
from tests.quantized import make_runner

# A pull of 0.01 towards halved weights leaves them off by half a percent in directions of mean
# variance; divergence is quadratic in that.
EXACT = 0.005**2


def redundant() -> ir.Model:
    """A residual network of which every hidden unit exists twice."""
    half = [gaussian(4, 3, 3, 3), gaussian(4, 8, 3, 3, scale=0.2), gaussian(8, 8, 3, 3, scale=0.2)]
    twice = [np.concatenate([part, part]) for part in half[:2]]
    return inferred(
        """g (float[N,3,8,8] x) => (float[N,5] y) {
            a = Conv<pads=[1,1,1,1]>(x, w0, b0)
            r = Relu(a)
            e = Conv<pads=[1,1,1,1], group=8>(r, wd)
            c = Conv<pads=[1,1,1,1]>(e, w1, b1)
            s = Clip(c, low, high)
            d = Conv<pads=[1,1,1,1]>(s, w2)
            t = Add(d, r)
            u = Relu(t)
            m = GlobalAveragePool(u)
            f = Reshape(m, rows)
            y = Gemm<transB=1>(f, w3, b3)
        }""",
        w0=twice[0],
        b0=np.tile(gaussian(4), 2),
        w1=twice[1],
        wd=np.tile(gaussian(4, 1, 3, 3, seed=8), (2, 1, 1, 1)),
        b1=np.tile(gaussian(4, seed=3), 2),
        w2=half[2],
        w3=gaussian(5, 8),
        b3=gaussian(5),
        low=np.float32(0),
        high=np.float32(6),
        rows=np.array([-1, 8]),
    )


def evidence() -> Evidence:
    batches: list[Feeds] = [{"x": gaussian(16, 3, 8, 8, seed=seed)} for seed in range(8)]
    return Evidence(
        batches=batches, trial=batches[:2], count=128, make_runner=make_runner, classifies=True
    )


def pruned(model: ir.Model, plan: Plan) -> tuple[ir.Model, Recover]:
    coupling = couple(model)
    kept = coupling.kept(coupling.removed(plan.units(coupling)))
    return shrunk(model, plan), Recover(dense=model, kept=kept, evidence=evidence())


def test_redundant_units_are_made_up_for() -> None:
    model = redundant()
    inner = next(d for d in couple(model).prunable if d.name == "n3")
    small, step = pruned(model, Plan(removed={inner.name: (0, 1, 2, 3)}))
    before = divergence(model, small, step.evidence)
    changes = step.run(small, PassContext())
    after = divergence(model, small, step.evidence)
    assert changes.counts["layers re-solved"] > 0
    assert after <= EXACT < before


def test_obs_finds_the_copies() -> None:
    model = redundant()
    settings = PruneSettings(budget=Budget.parse("macs=62%", ""), align=1)
    plan = plan_pruning(model, settings, evidence())
    assert {place % 4 for place in plan.removed["n3"]} == {0, 1, 2, 3}
    small, step = pruned(model, plan)
    step.run(small, PassContext())
    assert divergence(model, small, step.evidence) <= EXACT


@pytest.mark.parametrize("importance", ["l1", "l2", "activation", "obs"])
@pytest.mark.parametrize("allocation", list(Allocation))
def test_every_importance_and_allocation(importance: str, allocation: Allocation) -> None:
    model = redundant()
    settings = PruneSettings(
        budget=Budget.parse("macs=50%", ""), importance=importance, allocation=allocation, align=2
    )
    small, step = pruned(model, plan_pruning(model, settings, evidence()))
    before = divergence(model, small, step.evidence)
    step.run(small, PassContext())
    assert divergence(model, small, step.evidence) < before


def test_nothing_is_changed_for_the_worse() -> None:
    """The dense model, of which nothing was removed, keeps its answers."""
    model = redundant()
    same, step = model.clone(), Recover(dense=model, kept={}, evidence=evidence())
    before = {name: value.const_value for name, value in same.graph.initializers.items()}
    changes = step.run(same, PassContext())
    if not changes.modified:
        assert {n: v.const_value for n, v in same.graph.initializers.items()} == before
    assert divergence(model, same, step.evidence) <= EXACT


def test_undone_where_the_answers_get_worse() -> None:
    """Solving for answers of another model must not survive the comparison with the right ones."""
    model, other = redundant(), redundant()
    for name in ("w1", "w2"):
        value = other.graph.initializers[name]
        assert value.const_value is not None
        set_constant(value, -value.const_value.numpy())
    judge = evidence()

    small = model.clone()
    step = Recover(dense=model, kept={}, evidence=judge)
    wrong = dataclasses.replace(step, dense=other)
    object.__setattr__(step, "_solve", wrong._solve)
    before = {
        n: v.const_value.numpy() for n, v in small.graph.initializers.items() if v.const_value
    }
    assert not step.run(small, PassContext()).modified
    for name, array in before.items():
        tensor = small.graph.initializers[name].const_value
        assert tensor is not None
        assert np.array_equal(tensor.numpy(), array)
