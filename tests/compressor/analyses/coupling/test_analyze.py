"""Channels that must go together are found; what cannot be proved is held, with the reason."""

import time

import numpy as np
import pytest

from compressor.analyses.coupling.analyze import couple
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.coupled import GRAPHS, inferred
from tests.graphs import gaussian
from tests.quantized import quantized
from tests.quantized import residual as canonical_residual

NODES = 10_000
SECONDS = 3.0


@pytest.mark.parametrize("name", GRAPHS)
def test_dimensions_that_can_shrink(name: str) -> None:
    make, sizes = GRAPHS[name]
    assert [len(dimension) for dimension in couple(make()).prunable] == sizes


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("padded_shortcut", "'y' is an output of the model"),
        ("attention", "'n2' normalizes over it"),
        ("norms", "what TopK ('n7') does with it is not known"),
        ("token_heads", "'n3' merges it with an open axis"),
        ("cuts", "'n7' makes space of it"),
    ],
)
def test_reason_is_given_for_what_is_held(name: str, reason: str) -> None:
    assert reason in {dimension.blocked for dimension in couple(GRAPHS[name][0]()).dimensions}


def test_units_of_every_axis_cover_it() -> None:
    model = GRAPHS["decoder"][0]()
    coupling = couple(model)
    values = {v.name: v for node in model.graph for v in (*node.inputs, *node.outputs) if v}
    for (name, axis), atoms in coupling.axes.items():
        assert values[name].shape[axis] == len(atoms)  # type: ignore[index]
        assert (atoms.max(axis=1) >= 0).all()


def test_constant_with_two_readers_is_held() -> None:
    text = """g (float[N,3] x) => (float[N,2] y) {
        a = MatMul(x, w)
        s = Mul(a, k)
        t = Tanh(s)
        b = Mul(t, k)
        y = MatMul(b, v)
    }"""
    model = inferred(text, w=gaussian(3, 4), k=gaussian(4), v=gaussian(4, 2))
    assert couple(model).prunable == ()


def test_what_a_branch_reads_is_held() -> None:
    text = """g (float[N,3] x, bool c) => (float[N,4] y) {
        a = MatMul(x, w)
        b = MatMul(a, v)
        z = If(c) <then_branch = t () => (float[N,4] p) { p = Relu(a) },
                   else_branch = e () => (float[N,4] q) { q = Neg(a) }>
        y = Add(b, z)
    }"""
    model = inferred(text, w=gaussian(3, 4), v=gaussian(4, 4))
    coupling = couple(model)
    assert coupling.prunable == ()
    assert any("If" in dimension.blocked for dimension in coupling.dimensions)


def test_quantized_graph_couples_nothing() -> None:
    model = canonical_residual()
    InferShapes().run(model, PassContext())
    assert couple(model).prunable
    quantized(model)
    assert couple(model).prunable == ()


def test_kept_names_only_axes_that_lose_something() -> None:
    coupling = couple(GRAPHS["padded_shortcut"][0]())
    first = coupling.prunable[0]
    kept = coupling.kept(coupling.removed(first.units[:1]))
    assert kept["w0", 0].tolist() == [False, True, True, True]
    assert kept["w2", 1].tolist() == [True, True, False, *[True] * 5]
    assert ("w3", 1) not in kept


def test_ten_thousand_nodes_take_seconds() -> None:
    """A residual stream of 64 channels through blocks of four nodes."""
    steps, last = [], "s0"
    blocks = NODES // 4
    for i in range(blocks):
        steps.append(f"c{i} = Conv({last}, w{i}) r{i} = Relu(c{i}) d{i} = Conv(r{i}, v{i})")
        steps.append(f"s{i + 1} = Add(d{i}, {last})")
        last = f"s{i + 1}"
    body = "\n".join(steps)
    weight = np.zeros((64, 64, 1, 1), np.float32)
    names = [f"{kind}{i}" for kind in "wv" for i in range(blocks)]
    model = inferred(
        f"g (float[1,3,2,2] x) => (float[1,64,2,2] y) {{ s0 = Conv(x, stem) {body} "
        f"y = Conv({last}, head) }}",
        **dict.fromkeys(names, weight),
        stem=gaussian(64, 3, 1, 1),
        head=gaussian(64, 64, 1, 1),
    )
    start = time.process_time()
    coupling = couple(model)
    assert time.process_time() - start <= SECONDS
    assert len(coupling.prunable) == blocks + 1
