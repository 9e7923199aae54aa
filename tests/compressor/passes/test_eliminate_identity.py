import numpy as np
import pytest

from compressor.passes.eliminate_identity import EliminateIdentity
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import apply, assert_same, graph_of, lines_of


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def eliminate(
    body: str, signature: str = "float[N,3,4] x) => (float[N,3,4] y", **constants: np.ndarray
) -> list[str]:
    """Run the pass, assert the same results, return the lines left."""
    model = graph_of(f"g ({signature}) {{ {body} }}", **constants)
    before = model.clone()
    [changes] = apply(model, EliminateIdentity())
    assert_same(before, model)
    assert changes.counts == {"identities removed": len(before.graph) - len(model.graph)}
    return lines_of(model)


@pytest.mark.parametrize(
    ("middle", "constants"),
    [
        ("Identity(a)", {}),
        ("Dropout(a)", {}),
        ("Dropout(a, ratio)", {"ratio": np.float32(0.5)}),
        ("Dropout(a, ratio, mode)", {"ratio": np.float32(0.5), "mode": np.False_}),
        ("Transpose<perm=[0,1,2]>(a)", {}),
        ("Pad(a, pads)", {"pads": ints(0, 0, 0, 0, 0, 0)}),
        ("Concat<axis=1>(a)", {}),
        ("Cast<to=1>(a)", {}),
        ("Reshape(a, shape)", {"shape": ints(0, 3, 4)}),
        ("Slice(a, start, stop, axes)", {"start": ints(0), "stop": ints(9), "axes": ints(1)}),
        ("Expand(a, shape)", {"shape": ints(1, 3, 4)}),
        ("Add(a, zeros)", {"zeros": np.zeros((3, 1), np.float32)}),
        ("Sub(a, zero)", {"zero": np.float32(0)}),
        ("Mul(a, one)", {"one": np.float32(1)}),
        ("Div(a, one)", {"one": np.float32(1)}),
    ],
)
def test_identity_is_bypassed(middle: str, constants: dict[str, np.ndarray]) -> None:
    lines = eliminate(f"a = Neg(x) b = {middle} y = Abs(b)", **constants)
    assert lines == ["a = Neg(x)", "y = Abs(a)"]


@pytest.mark.parametrize(
    ("middle", "constants"),
    [
        ("Transpose<perm=[0,2,1]>(a)", {}),
        ("Transpose(a)", {}),
        ("Pad(a, pads)", {"pads": ints(0, 0, 1, 0, 0, -1)}),
        ("Concat<axis=1>(a, a)", {}),
        ("Sub(zero, a)", {"zero": np.float32(0)}),
        ("Add(a, almost)", {"almost": np.float32([0, 0, 0, 1e-9])}),
        ("Mul(a, wide)", {"wide": np.ones((2, 1, 1, 1), np.float32)}),
        ("Cast<to=11>(a)", {}),
        ("Reshape(a, shape)", {"shape": ints(0, 4, 3)}),
        (
            "Slice(a, start, stop, axes, steps)",
            {"start": ints(-1), "stop": ints(-9), "axes": ints(1), "steps": ints(-1)},
        ),
    ],
    ids=lambda value: value.split("(")[0] if isinstance(value, str) else "",
)
def test_what_moves_elements_stays(middle: str, constants: dict[str, np.ndarray]) -> None:
    model = graph_of(
        f"g (float[2,3,4] x) => (y) {{ a = Neg(x) b = {middle} y = Abs(b) }}", **constants
    )
    before = model.clone()
    model.graph.outputs[0].shape = None
    InferShapes().run(model, PassContext())
    changes = EliminateIdentity().run(model, PassContext())
    assert not changes.modified
    assert lines_of(model) == lines_of(before)


def test_training_mode_dropout_stays() -> None:
    model = graph_of(
        "g (float[N,3] x) => (float[N,3] y) { a = Neg(x) b = Dropout(a, r, t) y = Abs(b) }",
        r=np.float32(0.5),
        t=np.True_,
    )
    [changes] = apply(model, EliminateIdentity())
    assert not changes.modified


@pytest.mark.parametrize(
    "text",
    [
        "g (float[N,3] x) => (float[N,3] y, bool[N,3] mask)"
        "{ a = Neg(x) b, mask = Dropout(a) y = Abs(b) }",
        "g (float[N,3] x) => (float[N,3] y, bool[N,3] z)"
        "{ a = Neg(x) b, mask = Dropout(a) y = Abs(b) z = Not(mask) }",
    ],
)
def test_dropout_with_a_used_mask_stays(text: str) -> None:
    model = graph_of(text)
    [changes] = apply(model, EliminateIdentity())
    assert not changes.modified


def test_dropout_with_an_unused_mask_goes() -> None:
    assert eliminate("a = Neg(x) b, mask = Dropout(a) y = Abs(b)") == ["a = Neg(x)", "y = Abs(a)"]


def test_graph_output_keeps_its_name() -> None:
    assert eliminate("a = Neg(x) y = Identity(a)") == ["y = Neg(x)"]


def test_identity_between_input_and_output_stays() -> None:
    assert eliminate("y = Identity(x)") == ["y = Identity(x)"]


def test_constant_as_output_stays() -> None:
    lines = eliminate("y = Identity(c)", "float[1] x) => (float[1] y", c=np.ones(1, np.float32))
    assert lines == ["y = Identity(c)"]


def test_of_two_output_identities_one_stays() -> None:
    lines = eliminate(
        "a = Neg(x) y = Identity(a) z = Identity(a)", "float[2] x) => (float[2] y, float[2] z"
    )
    assert lines == ["y = Neg(x)", "z = Identity(y)"]


def test_value_used_beside_the_output_identity() -> None:
    lines = eliminate(
        "a = Neg(x) y = Identity(a) z = Abs(a)", "float[2] x) => (float[2] y, float[2] z"
    )
    assert lines == ["y = Neg(x)", "z = Abs(y)"]


def test_chain() -> None:
    assert eliminate("a = Neg(x) b = Identity(a) c = Dropout(b) y = Identity(c)") == ["y = Neg(x)"]


def test_tile_that_repeats_nothing() -> None:
    """Shape inference does not see that one repetition keeps an open dimension."""
    signature = "float[2,3] x) => (float[2,3] y"
    lines = eliminate("a = Neg(x) b = Tile(a, r) y = Abs(b)", signature, r=ints(1, 1))
    assert lines == ["a = Neg(x)", "y = Abs(a)"]


def test_output_of_unknown_shape_keeps_the_declared_one() -> None:
    """The shape is fed, so only the declaration on the output knows the rank."""
    model = graph_of(
        "g (float[2,3] x, int64[K] s) => (float[3,2] y) { r = Reshape(x, s) y = Identity(r) }"
    )
    apply(model, EliminateIdentity())
    assert lines_of(model) == ["y = Reshape(x, s)"]
    assert list(model.graph.outputs[0].shape or ()) == [3, 2]


def test_cast_of_an_unknown_type_stays() -> None:
    model = graph_of("g (float[2] x) => (float[2] y) { a = Neg(x) b = Cast<to=1>(a) y = Abs(b) }")
    for node in model.graph:
        node.outputs[0].type = None
    assert not EliminateIdentity().run(model, PassContext()).modified


def test_symbols_must_agree() -> None:
    """Two open dimensions could trade places behind equal names only when there is one of them."""
    model = graph_of(
        "g (float[N,M] x, int64[2] s) => (float[N,M] y) { a = Neg(x) r = Reshape(a, s) y = Abs(r) }"
    )
    apply(model)
    model.graph[1].outputs[0].shape = model.graph[0].outputs[0].shape
    assert not EliminateIdentity().run(model, PassContext()).modified
