import numpy as np

from compressor.passes.protocol import Changes
from compressor.passes.unshare_constants import UnshareConstants
from tests.graphs import apply, assert_same, constant, gaussian, graph_of, lines_of


def unshare(text: str, **constants: np.ndarray) -> tuple[Changes, list[str]]:
    model = graph_of(text, **constants)
    before = model.clone()
    [changes, again] = apply(model, UnshareConstants(), UnshareConstants())
    assert_same(before, model)
    assert not again.modified
    return changes, lines_of(model)


def test_each_user_gets_its_own() -> None:
    changes, lines = unshare(
        "g (float[N,3] x) => (float[N,3] z) { y = Mul(x, w) u = Mul(y, w) z = Add(u, w) }",
        w=gaussian(3),
    )
    assert changes.counts == {"constants copied": 2}
    assert lines == ["y = Mul(x, w)", "u = Mul(y, w_copy)", "z = Add(u, w_copy_1)"]


def test_copies_hold_the_same_numbers() -> None:
    weight = gaussian(3)
    model = graph_of("g (float[N,3] x) => (float[N,3] z) { y = Mul(x, w) z = Mul(y, w) }", w=weight)
    apply(model, UnshareConstants())
    np.testing.assert_array_equal(constant(model, "w_copy"), weight)


def test_one_node_that_reads_it_twice() -> None:
    changes, lines = unshare(
        "g (float[N,3] x) => (float[N,3] y) { y = Sum(x, w, w) }", w=gaussian(3)
    )
    assert changes.counts == {"constants copied": 1}
    assert lines == ["y = Sum(x, w, w_copy)"]


def test_scalars_and_integers_stay_shared() -> None:
    changes, lines = unshare(
        """g (float[2,3] x) => (float[2,3] z) {
            a = Mul(x, s)
            b = Mul(a, s)
            c = Reshape(b, t)
            z = Reshape(c, t)
        }""",
        s=np.float32(2),
        t=np.array([2, 3], np.int64),
    )
    assert changes.counts == {"constants copied": 0}
    assert lines[1] == "b = Mul(a, s)"


def test_constant_that_is_an_output_keeps_its_name() -> None:
    changes, lines = unshare(
        "g (float[N,3] x) => (float[N,3] y, float[3] w) { y = Mul(x, w) }", w=gaussian(3)
    )
    assert changes.counts == {"constants copied": 0}
    assert lines == ["y = Mul(x, w)"]
