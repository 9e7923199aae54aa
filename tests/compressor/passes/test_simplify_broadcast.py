import numpy as np
import pytest

from compressor.passes.simplify_broadcast import SimplifyBroadcast
from tests.graphs import apply, assert_same, constant, graph_of, lines_of

HEAD = "g (float[N,3,4] x, float[3,4] flat, float[1,1,4] row) => (float[N,3,4] y)"
SHAPE = "n = Shape<start=0,end=1>(x) s = Concat<axis=0>(n, rest)"
REST = np.array([3, 4])


def simplified(body: str, **constants: object) -> tuple[list[str], dict[str, int]]:
    given = {name: np.asarray(value) for name, value in constants.items()}
    model = graph_of(f"{HEAD} {{ {SHAPE} {body} }}", rest=REST, **given)
    before = model.clone()
    [changes] = apply(model, SimplifyBroadcast())
    assert_same(before, model)
    lines = [line for line in lines_of(model) if not line.startswith(("n =", "s ="))]
    return lines, dict(changes.counts)


def test_arithmetic_on_expanded_constants_is_done_before() -> None:
    mask = np.array([[True], [False], [True]])
    lines, counts = simplified(
        "e = Expand(mask, s) w = Where(e, none, low) y = Add(x, w)",
        mask=mask,
        none=np.float32(0),
        low=np.float32(-9),
    )
    assert counts == {"folded before expansion": 1, "expansions dropped": 1}
    assert lines[-1] == "y = Add(x, w_alone)"


def test_the_folded_constant_keeps_its_small_shape() -> None:
    model = graph_of(
        f"{HEAD} {{ {SHAPE} e = Expand(c, s) d = Neg(e) y = Mul(d, x) }}",
        rest=REST,
        c=np.float32([[1], [2], [3]]),
    )
    apply(model, SimplifyBroadcast())
    assert constant(model, "d_alone").tolist() == [[-1], [-2], [-3]]


@pytest.mark.parametrize(
    "body", ["e = Expand(row, s) y = Add(e, x)", "e = Expand(row, s) y = Where(positive, x, e)"]
)
def test_an_expansion_that_another_operand_covers_goes(body: str) -> None:
    positive = "zero = Sub(x, x) positive = Less(zero, x) "
    lines, counts = simplified(positive + body)
    assert counts["expansions dropped"] == 1
    assert "row" in lines[-1]


@pytest.mark.parametrize(
    "body",
    [
        "e = Expand(row, s) y = Add(e, flat)",  # the batch comes from the expansion alone
        "e = Expand(row, s) y = Abs(e)",
    ],
)
def test_an_expansion_that_is_needed_stays(body: str) -> None:
    lines, counts = simplified(body)
    assert counts["expansions dropped"] == 0
    assert any("Expand" in line for line in lines)
