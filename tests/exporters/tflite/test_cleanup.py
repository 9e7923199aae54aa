"""Movements that move nothing disappear, and chains of them become one."""

import pytest

from tests.exporters.tflite.harness import (
    LiteRt,
    assert_float_parity,
    parse,
    with_random_constants,
)
from tests.tolerances import float32_operator

CASES = {
    "reshapes in a row": (
        """g (float[2,3,4] x) => (float[4,6] y) <int64[2] a={6,4}, int64[2] b={4,6}>
        { s = Reshape(x, a) y = Reshape(s, b) }""",
        ["RESHAPE"],
    ),
    "transposes in a row": (
        """g (float[2,3,4,5] x) => (float[2,4,3,5] y)
        { s = Transpose<perm=[0,2,3,1]>(x) y = Transpose<perm=[0,1,3,2]>(s) }""",
        ["TRANSPOSE"],
    ),
    "a transpose of unit axes": (
        """g (float[1,1,4,5] x) => (float[1,4,1,5] y)
        { t = Transpose<perm=[0,2,1,3]>(x) y = Neg(t) }""",
        ["RESHAPE", "NEG"],
    ),
    "rows flattened for a product": (
        """g (float[2,3,4] x, float[4,5] w) => (float[2,3,5] y)
        <int64[2] a={6,4}, int64[3] b={2,3,5}>
        { f = Reshape(x, a) p = MatMul(f, w) y = Reshape(p, b) }""",
        ["FULLY_CONNECTED"],
    ),
    "dead ends": (
        "g (float[2,3] x) => (float[2,3] y) { d = Exp(x) e = Neg(d) y = Relu(x) }",
        ["RELU"],
    ),
    "part of a join": (
        """g (float[1,3,4] x, float[1,2,4] x2) => (float[1,2,4] y)
        <int64[1] s={3}, int64[1] e={5}, int64[1] a={1}>
        { n = Neg(x2) j = Concat<axis=1>(x, n) y = Slice(j, s, e, a) }""",
        ["NEG"],
    ),
    "part across a join": (
        """g (float[1,3,4] x, float[1,2,4] x2) => (float[1,2,4] y)
        <int64[1] s={2}, int64[1] e={4}, int64[1] a={1}>
        { j = Concat<axis=1>(x, x2) y = Slice(j, s, e, a) }""",
        ["CONCATENATION", "SLICE"],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_clean_up(name: str, litert: LiteRt) -> None:
    text, expected = CASES[name]
    model = with_random_constants(parse(text))
    assert assert_float_parity(model, litert, float32_operator(terms=4)) == expected
