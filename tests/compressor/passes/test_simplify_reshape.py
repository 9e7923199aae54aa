import numpy as np
import onnx_ir as ir
import pytest

from compressor.passes.fold_constants import FoldConstants
from compressor.passes.lift_constants import LiftConstants
from compressor.passes.remove_unused import RemoveUnused
from compressor.passes.simplify_reshape import SimplifyReshape
from tests.graphs import apply, assert_same, constant, graph_of, lines_of


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def simplify(text: str, **constants: np.ndarray) -> tuple[ir.Model, dict[str, int]]:
    """Run the pass, assert the same results; return the model and what the pass counted."""
    model = graph_of(text, **constants)
    before = model.clone()
    [changes, again] = apply(model, SimplifyReshape(), SimplifyReshape())
    assert_same(before, model)
    assert not again.modified
    return model, {what: n for what, n in changes.counts.items() if n}


@pytest.mark.parametrize(
    ("node", "shape", "target"),
    [
        ("Flatten(x)", "N,12", [-1, 12]),
        ("Flatten<axis=2>(x)", "K,4", [-1, 4]),
        ("Flatten<axis=-1>(x)", "K,4", [-1, 4]),
        ("Unsqueeze(x, axes)", "N,1,3,4", [-1, 1, 3, 4]),
        ("Reshape(x, target)", "N,12", [-1, 12]),
    ],
)
def test_becomes_a_constant_target(node: str, shape: str, target: list[int]) -> None:
    model, counts = simplify(
        f"g (float[N,3,4] x) => (float[{shape}] y) {{ y = {node} }}",
        axes=ints(1),
        target=ints(0, 12),
    )
    assert counts == {"targets made constant": 1}
    assert lines_of(model) == ["y = Reshape(x, y_shape)"]
    assert constant(model, "y_shape").tolist() == target


def test_squeeze() -> None:
    model, counts = simplify(
        "g (float[N,3,1,1] x) => (float[N,3] y) { y = Squeeze(x, axes) }", axes=ints(2, 3)
    )
    assert counts == {"targets made constant": 1}
    assert constant(model, "y_shape").tolist() == [-1, 3]


def test_static_shape_has_no_open_dimension() -> None:
    model, _ = simplify("g (float[2,3,4] x) => (float[2,12] y) { y = Flatten(x) }")
    assert constant(model, "y_shape").tolist() == [2, 12]


def test_constant_target_is_left_alone() -> None:
    model, counts = simplify(
        "g (float[N,3,4] x) => (float[N,12] y) { y = Reshape(x, t) }", t=ints(-1, 12)
    )
    assert counts == {}
    assert lines_of(model) == ["y = Reshape(x, t)"]


def test_two_open_dimensions_stay() -> None:
    model, counts = simplify("g (float[N,L,4] x) => (float[N,K] y) { y = Flatten(x) }")
    assert counts == {}
    assert lines_of(model) == ["y = Flatten(x)"]


def test_empty_dimension_stays() -> None:
    """A zero in a target means "copy", not "empty"."""
    model, counts = simplify("g (float[2,0,4] x) => (float[2,0] y) { y = Flatten(x) }")
    assert counts == {}
    assert lines_of(model) == ["y = Flatten(x)"]


def test_chain_becomes_its_last_reshape() -> None:
    model, counts = simplify(
        """g (float[N,3,4] x) => (float[N,2,6] y) {
            a = Flatten(x)
            b = Unsqueeze(a, axes)
            y = Reshape(b, t)
        }""",
        axes=ints(1),
        t=ints(-1, 2, 6),
    )
    assert counts == {"targets made constant": 2, "chains merged": 2}
    assert lines_of(model)[-1] == "y = Reshape(x, t)"


def test_chain_with_another_reader_keeps_the_inner_one() -> None:
    model, _ = simplify(
        """g (float[N,3,4] x) => (float[N,2,6] y, float[N,12] z) {
            a = Flatten(x)
            y = Reshape(a, t)
            z = Neg(a)
        }""",
        t=ints(-1, 2, 6),
    )
    assert lines_of(model) == ["a = Reshape(x, a_shape)", "y = Reshape(x, t)", "z = Neg(a)"]


def test_target_that_copies_dimensions_is_not_moved_past_its_producer() -> None:
    """``0`` in the outer target refers to the inner result; both stay as they are."""
    model, counts = simplify(
        """g (float[N,L,4] x) => (float[A,B,2] y) {
            a = Reshape(x, s)
            y = Reshape(a, t)
        }""",
        s=ints(0, -1, 2),
        t=ints(0, 0, 2),
    )
    assert counts == {}
    assert lines_of(model) == ["a = Reshape(x, s)", "y = Reshape(a, t)"]


def test_frees_the_shape_arithmetic_of_exporters() -> None:
    model = graph_of(
        """g (float[N,3,4] x) => (float[N,12] y) {
            s = Shape(x)
            n = Gather(s, zero)
            u = Unsqueeze(n, zero1)
            t = Concat<axis=0>(u, rest)
            y = Reshape(x, t)
        }""",
        zero=np.int64(0),
        zero1=ints(0),
        rest=ints(-1),
    )
    before = model.clone()
    apply(model, FoldConstants(), LiftConstants(), SimplifyReshape(), RemoveUnused())
    assert_same(before, model)
    assert lines_of(model) == ["y = Reshape(x, y_shape)"]
