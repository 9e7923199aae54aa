import numpy as np

from compressor.ir.interface import interface_of
from compressor.ir.verify import verify
from compressor.passes.fold_constants import FoldConstants
from compressor.passes.lift_constants import LiftConstants
from compressor.passes.protocol import PassContext
from compressor.passes.remove_unused import RemoveUnused
from tests.graphs import apply, assert_same, constant, gaussian, graph_of, lines_of
from tests.quantized import quantized


def test_constant_subgraph_becomes_one_constant() -> None:
    weight = gaussian(3, 4)
    model = graph_of(
        """g (float[N,3] x) => (float[N,4] y) {
            t = Transpose<perm=[1,0]>(w)
            u = Transpose<perm=[1,0]>(t)
            v = Mul(u, two)
            y = MatMul(x, v)
        }""",
        w=weight,
        two=np.float32(2),
    )
    before = model.clone()
    [changes, *_] = apply(model, FoldConstants(), LiftConstants(), RemoveUnused())
    assert changes.counts == {"nodes folded": 3}
    assert lines_of(model) == ["y = MatMul(x, v)"]
    np.testing.assert_array_equal(constant(model, "v"), weight * 2)
    assert_same(before, model, terms=3)


def test_what_depends_on_an_input_stays() -> None:
    model = graph_of(
        "g (float[N,3] x) => (float[N,3] y) { a = Mul(x, two) y = Add(a, two) }", two=np.float32(2)
    )
    [changes] = apply(model, FoldConstants())
    assert not changes.modified
    assert lines_of(model) == ["a = Mul(x, two)", "y = Add(a, two)"]


def test_shape_of_a_static_input_is_folded() -> None:
    model = graph_of(
        """g (float[2,3,4] x) => (float[2,12] y) {
            s = Shape(x)
            b = Gather(s, zero)
            t = Concat<axis=0>(b, rest)
            y = Reshape(x, t)
        }""",
        zero=np.array([0], np.int64),
        rest=np.array([-1], np.int64),
    )
    before = model.clone()
    apply(model, FoldConstants(), LiftConstants(), RemoveUnused())
    assert_same(before, model)
    assert lines_of(model) == ["y = Reshape(x, t)"]
    assert constant(model, "t").tolist() == [2, -1]


def test_bound_on_what_is_created() -> None:
    """A scalar that expands beyond the limit stays an Expand."""
    text = "g (float[64] x) => (float[64] y) { e = Expand(one, shape) y = Add(x, e) }"
    shape = np.array([64], np.int64)
    model = graph_of(text, one=np.ones(1, np.float32), shape=shape)
    apply(model, FoldConstants(output_limit=32), LiftConstants(), RemoveUnused())
    assert lines_of(model)[0] == "e = Expand(one, shape)"
    apply(model, FoldConstants(output_limit=64), LiftConstants(), RemoveUnused())
    assert lines_of(model) == ["y = Add(x, e)"]


def test_random_numbers_are_not_frozen() -> None:
    model = graph_of(
        "g (float[4] x) => (float[4] y) { r = RandomNormal<shape=[4]>() y = Add(x, r) }"
    )
    apply(model, FoldConstants(), LiftConstants(), RemoveUnused())
    assert lines_of(model)[0].startswith("r = RandomNormal")


def test_a_reshape_of_integers_that_reshapes_nothing_stays_of_integers() -> None:
    model = graph_of(
        """g (float[1,1,4,4] x) => (float[1,2,4,4] y) { r = Reshape(x, same) y = Conv(r, w) }""",
        same=np.array([1, 1, 4, 4]),
        w=gaussian(2, 1, 1, 1),
    )
    quantized(model)
    FoldConstants().run(model, PassContext())
    verify(model, interface_of(model), "fold_constants")
