"""The oracle of pruning: a model without channels computes what it does with them at zero."""

import numpy as np
import onnx_ir as ir

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.analyses.coupling.result import Coupling
from compressor.ir.interface import interface_of
from compressor.ir.rewrite import set_constant
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.remove_channels import RemoveChannels
from compressor.pipeline import run_passes
from tests.graphs import Feeds, run_onnx

# What multiplies by its constants or looks values up in them, and what adds them: zeros there
# silence a channel. Scales and slopes need not be touched, a divisor must not.
_ADDED = frozenset({"Add", "Sub"})
_MULTIPLIED = frozenset({"Conv", "ConvTranspose", "Einsum", "Gather", "Gemm", "MatMul"})
_SILENCED = _ADDED | _MULTIPLIED | {"GRU", "LSTM", "RNN"}


def random_plan(coupling: Coupling, share: float = 0.5, seed: int = 0) -> Plan:
    """Return a plan that removes *share* of the units of every dimension that can shrink."""
    random = np.random.default_rng(seed)
    removed = {}
    for dimension in coupling.prunable:
        count = min(round(share * len(dimension)), len(dimension) - 1)
        chosen = random.choice(len(dimension), count, replace=False)
        removed[dimension.name] = tuple(sorted(chosen.tolist()))
    return Plan(removed=removed)


def silenced(model: ir.Model, plan: Plan) -> ir.Model:
    """Return a copy of *model* with zeros wherever *plan* takes something from a weight."""
    copy = model.clone()
    coupling = couple(model)
    kept = coupling.kept(coupling.removed(plan.units(coupling)))
    for (name, axis), mask in kept.items():
        value = copy.graph.initializers.get(name)
        if value is None or value.const_value is None:
            continue
        if all(node.op_type in _SILENCED for node in value.consumers()):
            array = value.const_value.numpy().copy()
            np.moveaxis(array, axis, 0)[~mask] = 0
            set_constant(value, array)
    return copy


def shrunk(model: ir.Model, plan: Plan) -> ir.Model:
    """Return a copy of *model* without what *plan* removes, verified."""
    copy = model.clone()
    steps = [RemoveChannels(plan=plan), InferShapes()]
    run_passes(copy, steps, interface=interface_of(copy))
    return copy


def relative_difference(model: ir.Model, plan: Plan, feeds: Feeds) -> float:
    """Return the largest difference of silenced and shrunk, relative to the largest output."""
    want, have = run_onnx(silenced(model, plan), feeds), run_onnx(shrunk(model, plan), feeds)
    worst = 0.0
    for name, expected in want.items():
        assert have[name].shape == expected.shape
        assert np.isfinite(have[name]).all()
        size = float(np.abs(expected).max(initial=0.0)) or 1.0
        difference = np.abs(have[name].astype(np.float64) - expected).max(initial=0.0)
        worst = max(worst, float(difference) / size)
    return worst
