import numpy as np

from compressor.ir.interface import Interface, interface_of
from compressor.ir.rewrite import constant_of
from compressor.passes.lift_constants import LiftConstants
from compressor.pipeline import run_passes
from tests.graphs import apply, assert_same, constant, gaussian, graph_of, lines_of


def test_constant_nodes_of_every_kind_become_initializers() -> None:
    model = graph_of(
        """g (float[N,4] x) => (float[N,2,2] y) {
            a = Constant<value = float {2.0}>()
            b = Constant<value_float = 3.0>()
            c = Constant<value_ints = [-1, 2, 2]>()
            m = Mul(x, a)
            n = Add(m, b)
            y = Reshape(n, c)
        }"""
    )
    before = model.clone()
    [changes] = apply(model, LiftConstants())
    assert changes.counts == {"constants lifted": 3}
    assert lines_of(model) == ["m = Mul(x, a)", "n = Add(m, b)", "y = Reshape(n, c)"]
    assert constant(model, "b") == np.float32(3)
    assert constant(model, "c").tolist() == [-1, 2, 2]
    assert_same(before, model)


def test_initializer_listed_as_input_is_constant() -> None:
    """Files of ir_version 3 list every initializer among the inputs."""
    weight = gaussian(3)
    model = graph_of("g (float[N,3] x, float[3] w) => (float[N,3] y) { y = Mul(x, w) }", w=weight)
    interface = interface_of(model)
    assert constant_of(model.graph[0].inputs[1]) is None
    kept = Interface(inputs=interface.inputs[:1], outputs=interface.outputs)
    run_passes(model, [LiftConstants()], interface=kept)
    assert [value.name for value in model.graph.inputs] == ["x"]
    np.testing.assert_array_equal(constant_of(model.graph[0].inputs[1]), weight)


def test_constant_that_is_an_output_stays_a_node() -> None:
    model = graph_of("g (float[2] x) => (float y) { y = Constant<value_float = 3.0>() }")
    [changes] = apply(model, LiftConstants())
    assert not changes.modified
    assert len(model.graph) == 1


def test_nothing_to_lift() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Mul(x, w) }", w=gaussian(3))
    [changes] = apply(model, LiftConstants())
    assert not changes.modified
