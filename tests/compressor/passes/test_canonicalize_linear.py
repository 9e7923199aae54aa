import numpy as np
import pytest

from compressor.passes.canonicalize_linear import CanonicalizeLinear
from tests.graphs import apply, assert_same, constant, gaussian, graph_of, lines_of


def canonicalize(text: str, **constants: np.ndarray) -> tuple[dict[str, int], list[str]]:
    """Run the pass twice, assert the same results and that the second time finds nothing."""
    model = graph_of(text, **constants)
    before = model.clone()
    [changes, again] = apply(model, CanonicalizeLinear(), CanonicalizeLinear())
    assert_same(before, model, terms=16)
    assert not again.modified
    return {what: count for what, count in changes.counts.items() if count}, lines_of(model)


def test_gemm_weight_is_transposed() -> None:
    counts, lines = canonicalize(
        "g (float[N,6] x) => (float[N,5] y) { y = Gemm(x, w, b) }", w=gaussian(6, 5), b=gaussian(5)
    )
    assert counts == {"Gemm normalized": 1}
    assert lines == ["y = Gemm[transB=1](x, w_linear, b_linear)"]


@pytest.mark.parametrize("transposed", [0, 1])
@pytest.mark.parametrize("bias", [(), (1,), (5,), (1, 1), (1, 5)])
def test_gemm_factors_and_bias_shapes(transposed: int, bias: tuple[int, ...]) -> None:
    weight = gaussian(5, 6) if transposed else gaussian(6, 5)
    model = graph_of(
        "g (float[N,6] x) => (float[N,5] y)"
        f"{{ y = Gemm<alpha=0.5, beta=-2.0, transB={transposed}>(x, w, b) }}",
        w=weight,
        b=gaussian(*bias, seed=2),
    )
    before = model.clone()
    apply(model, CanonicalizeLinear())
    assert_same(before, model, terms=6)
    assert lines_of(model) == ["y = Gemm[transB=1](x, w_linear, b_linear)"]
    np.testing.assert_array_equal(
        constant(model, "w_linear"), (weight if transposed else weight.T) / 2
    )
    assert constant(model, "b_linear").shape == (5,)


def test_canonical_gemm_is_left_alone() -> None:
    counts, lines = canonicalize(
        "g (float[N,6] x) => (float[N,5] y) { y = Gemm<transB=1>(x, w, b) }",
        w=gaussian(5, 6),
        b=gaussian(5),
    )
    assert counts == {}
    assert lines == ["y = Gemm[transB=1](x, w, b)"]


@pytest.mark.parametrize(
    "gemm",
    ["Gemm<transA=1>(x, w, v)", "Gemm(x, w, fed)", "Gemm(x, w, full)", "Gemm(x, x)"],
)
def test_other_gemms_are_left_alone(gemm: str) -> None:
    counts, lines = canonicalize(
        f"g (float[5,5] x, float[5] fed) => (float[5,5] y) {{ y = {gemm} }}",
        w=gaussian(5, 5),
        v=gaussian(5),
        full=gaussian(5, 5),
    )
    assert counts == {}
    assert len(lines) == 1


@pytest.mark.parametrize("add", ["Add(m, b)", "Add(b, m)"])
@pytest.mark.parametrize("bias", [(5,), (1, 5)])
def test_matmul_with_bias(add: str, bias: tuple[int, ...]) -> None:
    counts, lines = canonicalize(
        f"g (float[N,6] x) => (float[N,5] y) {{ m = MatMul(x, w) y = {add} }}",
        w=gaussian(6, 5),
        b=gaussian(*bias),
    )
    assert counts == {"MatMul made Gemm": 1, "bias absorbed": 1}
    assert lines == ["y = Gemm[transB=1](x, w_linear, m_bias)"]


@pytest.mark.parametrize("add", ["Add(m, b)", "Add(b, m)"])
@pytest.mark.parametrize("bias", [(5,), (1, 5), (1, 1, 5)])
def test_matmul_of_rank_three(add: str, bias: tuple[int, ...]) -> None:
    counts, lines = canonicalize(
        f"g (float[N,4,6] x) => (float[N,4,5] y) {{ m = MatMul(x, w) y = {add} }}",
        w=gaussian(6, 5),
        b=gaussian(*bias),
    )
    assert counts == {"MatMul made Gemm": 1, "bias absorbed": 1}
    assert lines == [
        "m_input_rows = Reshape(x, n0_rows)",
        "m_rows = Gemm[transB=1](m_input_rows, w_linear, m_bias)",
        "y = Reshape(m_rows, m_shape)",
    ]


def test_scalar_bias_of_a_single_unit() -> None:
    counts, lines = canonicalize(
        "g (float[N,6] x) => (float[N,1] y) { m = MatMul(x, w) y = Add(m, b) }",
        w=gaussian(6, 1),
        b=gaussian(),
    )
    assert counts == {"MatMul made Gemm": 1, "bias absorbed": 1}
    assert lines == ["y = Gemm[transB=1](x, w_linear, m_bias)"]


@pytest.mark.parametrize(
    ("rest", "bias", "outputs"),
    [
        ("y = Add(m, m)", (5,), ""),
        ("y = Add(m, b)", (1,), ""),
        ("y = Add(m, b)", (2, 5), ""),
        ("y = Add(m, b) z = Relu(m)", (5,), ", float[2,5] z"),
        ("y = Add(m, b)", (5,), ", float[2,5] m"),
        ("y = Mul(m, b)", (5,), ""),
    ],
)
def test_addition_that_is_no_bias_stays(rest: str, bias: tuple[int, ...], outputs: str) -> None:
    counts, lines = canonicalize(
        f"g (float[2,6] x) => (float[2,5] y{outputs}) {{ m = MatMul(x, w) {rest} }}",
        w=gaussian(6, 5),
        b=gaussian(*bias),
    )
    assert counts == {"MatMul made Gemm": 1}
    assert lines[0] == "m = Gemm[transB=1](x, w_linear)"


def test_bias_of_higher_rank_than_the_product_stays() -> None:
    counts, _ = canonicalize(
        "g (float[2,6] x) => (float[1,2,5] y) { m = MatMul(x, w) y = Add(m, b) }",
        w=gaussian(6, 5),
        b=gaussian(1, 1, 5),
    )
    assert counts == {"MatMul made Gemm": 1}


def test_matmul_as_graph_output_of_rank_four() -> None:
    counts, lines = canonicalize(
        "g (float[2,3,N,6] x) => (float[2,3,N,5] y) { y = MatMul(x, w) }", w=gaussian(6, 5)
    )
    assert counts == {"MatMul made Gemm": 1}
    assert lines[-1].startswith("y = Reshape(")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("g (float[N,L,6] x) => (float[N,L,5] y) { y = MatMul(x, w) }", (6, 5)),
        ("g (float[3,2,6] x) => (float[3,2,5] y) { y = MatMul(x, w) }", (3, 6, 5)),
        ("g (float[6] x) => (float[5] y) { y = MatMul(x, w) }", (6, 5)),
        ("g (float[2,6] x) => (float[2] y) { y = MatMul(x, w) }", (6,)),
        ("g (float[6,5] x) => (float[5,5] y) { y = MatMul(w, x) }", (5, 6)),
    ],
)
def test_other_products_are_left_alone(text: str, shape: tuple[int, ...]) -> None:
    counts, lines = canonicalize(text, w=gaussian(*shape))
    assert counts == {}
    assert len(lines) == 1


def test_shared_weight_stays_for_the_other_user() -> None:
    counts, lines = canonicalize(
        "g (float[N,5] x) => (float[N,5] y, float[N,5] z) { y = MatMul(x, w) z = Mul(x, row) }",
        w=gaussian(5, 5),
        row=gaussian(5),
    )
    assert counts == {"MatMul made Gemm": 1}
    assert lines == ["y = Gemm[transB=1](x, w_linear)", "z = Mul(x, row)"]


def test_two_layers_of_one_weight_get_two_constants() -> None:
    _, lines = canonicalize(
        "g (float[N,5] x) => (float[N,5] z) { y = MatMul(x, w) z = MatMul(y, w) }",
        w=gaussian(5, 5),
    )
    assert lines == [
        "y = Gemm[transB=1](x, w_linear)",
        "z = Gemm[transB=1](y, w_linear_1)",
    ]
