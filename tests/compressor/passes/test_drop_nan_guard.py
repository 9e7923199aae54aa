import numpy as np
import pytest

from compressor.passes.drop_nan_guard import DropNanGuard
from tests.graphs import apply, assert_same, graph_of, lines_of

HEAD = "g (float[N,2,4] x, bool[N,1,4] m, float[N,1,4] real) => (float[N,2,4] y)"
GUARD = "p = Softmax(s) n = IsNaN(p) y0 = Where(n, zero, p) y = Abs(y0)"


def dropped(scores: str, *, zero: float = 0.0, guard: str = GUARD, **constants: float) -> bool:
    given = {name: np.float32(number) for name, number in constants.items()}
    model = graph_of(f"{HEAD} {{ {scores} {guard} }}", zero=np.float32(zero), **given)
    before = model.clone()
    [changes] = apply(model, DropNanGuard())
    found = not any("Where" in line and "n, zero" in line for line in lines_of(model))
    assert changes.counts == {"guards dropped": int(found)}
    if found:
        assert_same(before, model)
    return found


def test_a_guard_behind_finite_scores_goes() -> None:
    assert dropped("s = Tanh(x)")
    assert dropped("b = Where(m, none, lowest) t = Tanh(x) s = Add(t, b)", none=0, lowest=-3.4e38)


@pytest.mark.parametrize(
    "scores",
    [
        "b = Where(m, none, lowest) t = Tanh(x) s = Add(t, b)",
        "b = Where(m, none, lowest) t = Tanh(x) a = Neg(b) s = Sub(t, a)",
    ],
)
def test_a_mask_that_may_be_infinite_keeps_its_guard(scores: str) -> None:
    assert not dropped(scores, none=0, lowest=-np.inf)


def test_an_input_may_be_infinite() -> None:
    assert not dropped("t = Tanh(x) s = Add(t, real)")


@pytest.mark.parametrize(
    "guard",
    [
        "p = Softmax(s) q = Abs(s) n = IsNaN(q) y0 = Where(n, zero, p) y = Abs(y0)",
        "p = Sigmoid(s) n = IsNaN(p) y0 = Where(n, zero, p) y = Abs(y0)",
    ],
)
def test_other_selections_stay(guard: str) -> None:
    assert not dropped("s = Tanh(x)", guard=guard)


def test_other_fillers_stay() -> None:
    assert not dropped("s = Tanh(x)", zero=1.0)
