import numpy as np
import pytest

from compressor.passes.cancel_transposes import CancelTransposes
from compressor.passes.infer_shapes import InferShapes
from tests.graphs import apply, assert_same, gaussian, graph_of, lines_of

IN, OUT = "perm=[0,3,1,2]", "perm=[0,2,3,1]"


def cancel(
    body: str, result: str = "N,4,5,3", **constants: np.ndarray
) -> tuple[list[str], dict[str, int]]:
    """Run the pass on *body*, which makes y from x, and assert the same results and shapes."""
    model = graph_of(f"g (float[N,4,5,3] x) => (float[{result}] y) {{ {body} }}", **constants)
    apply(model, InferShapes())
    before = model.clone()
    [changes] = apply(model, CancelTransposes())
    assert_same(before, model, terms=20)
    assert len(model.graph) <= len(before.graph)
    return lines_of(model), dict(changes.counts)


def test_neighbours_go() -> None:
    lines, counts = cancel(
        f"a = Relu(x)  b = Transpose<{IN}>(a)  c = Transpose<{OUT}>(b)  y = Neg(c)"
    )
    assert lines == ["a = Relu(x)", "y = Neg(a)"]
    assert counts["pairs cancelled"] == 1


def test_elementwise_operators_between_compute_in_the_other_order() -> None:
    lines, _ = cancel(
        f"""a = Transpose<{IN}>(x)
            b = Mul(a, gain)
            c = Relu(b)
            d = Add(c, row)
            y = Transpose<{OUT}>(d)""",
        gain=gaussian(3, 1, 1),
        row=gaussian(5, seed=2),
    )
    assert [line.partition(" = ")[2].partition("(")[0] for line in lines] == ["Mul", "Relu", "Add"]
    assert lines[-1].startswith("y = ")


def test_both_operands_may_come_transposed() -> None:
    lines, counts = cancel(
        f"""a = Transpose<{IN}>(x)
            s = Sigmoid(x)
            b = Transpose<{IN}>(s)
            c = Mul(a, b)
            y = Transpose<{OUT}>(c)"""
    )
    assert lines == ["s = Sigmoid(x)", "y = Mul(x, s)"]
    assert counts["pairs cancelled"] == 1


def test_a_transposed_value_that_others_read_stays_for_them() -> None:
    lines, _ = cancel(
        f"""a = Transpose<{IN}>(x)
            b = Relu(a)
            c = Transpose<{OUT}>(b)
            d = ReduceMax<keepdims=1>(a)
            y = Add(c, d)"""
    )
    assert "a = Transpose[perm=[0, 3, 1, 2]](x)" in lines
    assert "b = Relu(x)" in " ".join(lines) or "c = Relu(x)" in " ".join(lines)


def test_chains_become_one() -> None:
    lines, counts = cancel(
        "a = Transpose<perm=[0,2,1,3]>(x)  y = Transpose<perm=[0,3,1,2]>(a)", "N,3,5,4"
    )
    assert lines == ["y = Transpose[perm=[0, 3, 2, 1]](x)"]
    assert counts["chains merged"] == 1


@pytest.mark.parametrize("axes", [[1, 2], [-3, -2], [2]])
def test_reductions_name_the_axes_of_the_source(axes: list[int]) -> None:
    result = "N,3" if len(axes) == 2 else "N,A,B"
    lines, counts = cancel(
        "a = Transpose<perm=[0,2,1,3]>(x)  y = ReduceMean<keepdims=0>(a, axes)",
        result,
        axes=np.array(axes, np.int64),
    )
    assert len(lines) == 1
    assert counts["taken into reductions"] == 1


@pytest.mark.parametrize(
    ("body", "result", "constants"),
    [
        pytest.param(f"a = Transpose<{IN}>(x)  y = Relu(a)", "N,3,4,5", {}, id="alone"),
        pytest.param(
            f"a = Transpose<{IN}>(x)  b = Softmax<axis=1>(a)  y = Transpose<{OUT}>(b)",
            "N,4,5,3",
            {},
            id="not elementwise",
        ),
        pytest.param(
            f"a = Transpose<{IN}>(x)  y = ReduceMean<keepdims=0>(a, axes)",
            "N,C,A",
            {"axes": np.array([3], np.int64)},
            id="kept axes change places",
        ),
        pytest.param(
            f"a = Transpose<{IN}>(x)  y = ReduceMean<keepdims=1>(a, axes)",
            "N,3,1,1",
            {"axes": np.array([2, 3], np.int64)},
            id="axes are kept",
        ),
        pytest.param(
            f"a = Transpose<{IN}>(x)  y = Transpose<{OUT}>(a)", "N,4,5,3", {}, id="input to output"
        ),
        pytest.param(
            f"""a = Transpose<{IN}>(x)  b = Relu(a)  c = Transpose<{OUT}>(b)
                d = ReduceMax<keepdims=1>(b)  y = Add(c, d)""",
            "N,4,5,3",
            {},
            id="the operator between is read elsewhere",
        ),
    ],
)
def test_what_cannot_go_stays(body: str, result: str, constants: dict[str, np.ndarray]) -> None:
    _, counts = cancel(body, result, **constants)
    assert not any(counts.values())
