"""A model without channels computes what it does with their weights at zero."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.cost import cost_of
from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.ir.interface import interface_of
from compressor.passes.protocol import PassContext
from compressor.passes.remove_channels import RemoveChannels
from compressor.source import read_source
from tests.coupled import GRAPHS, inferred
from tests.graphs import Feeds, feeds_for, gaussian, lines_of
from tests.pruned import random_plan, relative_difference, shrunk
from tests.tolerances import PRUNED

ROOT = Path(__file__).parents[3]
MODELS = ["gru", "mobilenet", "residual_cnn", "vit"]
SHARED = [
    "cifar10_resnet20",
    "cifar10_resnet32",
    "fastestdet_coco",
    "fmnist_lenet",
    "mlperf_ae_toycar",
    "mlperf_dscnn_kws",
    "mlperf_resnet8_cifar10",
    "pneumoniamnist_smallresnet",
]


def feeds(model: ir.Model) -> Feeds:
    """Return random feeds; integers are small indices."""
    found = feeds_for(model, batch=2)
    return {k: np.abs(v) % 9 if v.dtype.kind == "i" else v for k, v in found.items()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", GRAPHS)
def test_shrunk_equals_silenced(name: str, seed: int) -> None:
    model = GRAPHS[name][0]()
    plan = random_plan(couple(model), seed=seed)
    assert relative_difference(model, plan, feeds(model)) <= PRUNED


@pytest.mark.parametrize("name", MODELS)
def test_reference_models(name: str) -> None:
    check_model(ROOT / "models" / name / "model.onnx")


@pytest.mark.parametrize("name", SHARED)
def test_real_models(name: str, shared_data: Path) -> None:
    check_model(shared_data / "models" / name / "model.onnx")


def check_model(path: Path) -> None:
    model = read_source(str(path)).model
    plan = random_plan(couple(model))
    assert relative_difference(model, plan, feeds(model)) <= PRUNED
    assert cost_of(shrunk(model, plan)).macs < 0.5 * cost_of(model).macs


def test_oracle_notices_a_channel_that_is_mistaken_for_another() -> None:
    model = GRAPHS["padded_shortcut"][0]()
    name = couple(model).prunable[0].name
    wrong = shrunk(model, Plan(removed={name: (1,)}))
    right = GRAPHS["padded_shortcut"][0]()
    swapped = right.graph.initializers["w0"].const_value
    assert swapped is not None
    array = swapped.numpy().copy()
    array[[0, 1]] = array[[1, 0]]
    right.graph.initializers["w0"].const_value = ir.tensor(array)
    other = shrunk(right, Plan(removed={name: (1,)}))
    assert lines_of(wrong) == lines_of(other)
    assert relative_difference(right, Plan(removed={name: (1,)}), feeds(model)) <= PRUNED


def test_shortcut_pads_as_many_channels_as_stay() -> None:
    model = GRAPHS["padded_shortcut"][0]()
    first, second, _ = couple(model).prunable
    small = shrunk(model, Plan(removed={first.name: (0, 1), second.name: (0, 1, 2)}))
    pads = next(node for node in small.graph if node.op_type == "Pad").inputs[1]
    assert pads is not None
    assert pads.const_value is not None
    assert pads.const_value.numpy().tolist() == [0, 0, 0, 0, 0, 1, 0, 0]


def test_uneven_cut_is_picked_out() -> None:
    """Every second of 9 channels, of which channel 1 goes: 0, 1, 3, 5 and 7 of what stays."""
    text = """g (float[N,2,4,4] x) => (float[N,3,4,4] y) {
        a = Conv(x, w0)
        e = Slice(a, starts, ends, axes, steps)
        b = Conv(a, w1)
        j = Concat<axis=1>(b, e)
        y = Conv(j, w2)
    }"""
    cut = {"starts": [0], "ends": [9], "axes": [1], "steps": [2]}
    weights = {"w0": (9, 2, 1, 1), "w1": (4, 9, 1, 1), "w2": (3, 9, 1, 1)}
    model = inferred(
        text,
        **{name: np.array(entries) for name, entries in cut.items()},
        **{name: gaussian(*shape) for name, shape in weights.items()},
    )
    odd = next(d.name for d in couple(model).prunable if len(d) == 4 and d.name != "n2")
    plan = Plan(removed={odd: (0,)})
    assert relative_difference(model, plan, feeds(model)) <= PRUNED
    small = shrunk(model, plan)
    [picked] = [node.inputs[1] for node in small.graph if node.op_type == "Gather"]
    assert picked is not None
    assert picked.const_value is not None
    assert picked.const_value.numpy().tolist() == [0, 1, 3, 5, 7]


def test_interface_stays() -> None:
    for name, (make, _) in GRAPHS.items():
        model = make()
        small = shrunk(model, random_plan(couple(model), share=0.9))
        assert interface_of(small) == interface_of(model), name


def test_empty_plan_changes_nothing() -> None:
    model = GRAPHS["shuffle"][0]()
    before = lines_of(model)
    changes = RemoveChannels(plan=Plan(removed={"n0": ()})).run(model, PassContext())
    assert not changes.modified
    assert lines_of(model) == before
