import numpy as np
import pytest

from compressor.ir.shapes import infer_shapes
from compressor.ir.symbols import name_dimensions
from tests.graphs import graph_of


def shape_after(body: str, signature: str, result: str = "y", **targets: list[int]) -> list[object]:
    constants = {name: np.array(dims, np.int64) for name, dims in targets.items()}
    model = graph_of(
        f"g ({signature}) => (float[*] y) {{ {body} }}".replace("[*]", "[]"), **constants
    )
    for value in model.graph.outputs:
        value.shape = None
    infer_shapes(model)
    name_dimensions(model)
    value = next(v for node in model.graph for v in node.outputs if v.name == result)
    return [dim if isinstance(dim, int) else dim.value for dim in value.shape or ()]


X = "float[batch,6,4] x"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ([-1, 24], ["batch", 24]),
        ([-1, 4], ["6*batch", 4]),
        ([-1, 2, 3, 4], ["batch", 2, 3, 4]),
        ([0, 4, -1], ["batch", 4, 6]),
    ],
)
def test_the_free_length_of_a_reshape_is_computed(
    target: list[int], expected: list[object]
) -> None:
    assert shape_after("y = Reshape(x, t)", X, t=target) == expected


def test_there_and_back_is_the_same_length() -> None:
    body = "r = Reshape(x, rows) a = Abs(r) b = Reshape(a, back) y = Add(b, x)"
    assert shape_after(body, X, rows=[-1, 4], back=[-1, 6, 4]) == ["batch", 6, 4]


def test_what_is_broadcast_to_a_length_has_it() -> None:
    body = "r = Reshape(x, t) z = Add(r, row) m = MatMul(z, w) y = Concat<axis=1>(m, x)"
    signature = f"{X}, float[1,1,4] row, float[4,4] w"
    assert shape_after(body, signature, t=[-1, 6, 4]) == ["batch", 12, 4]


@pytest.mark.parametrize("target", [[-1, 5], [7, -1]])
def test_lengths_that_do_not_divide_stay_open(target: list[int]) -> None:
    found = shape_after("y = Reshape(x, t)", X, t=target)
    assert not any(isinstance(dim, str) and "batch" in dim for dim in found)


def test_two_symbols_are_not_made_one() -> None:
    signature = "float[n,4] x, float[m,4] other"
    first = shape_after("y = Add(x, other)", signature)[0]
    assert first not in ("n", "m")
