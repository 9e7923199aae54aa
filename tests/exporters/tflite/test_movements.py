"""Movements that exporters of attention spread out meet the product that takes them over."""

import pytest

from tests.exporters.tflite.harness import (
    LiteRt,
    assert_float_parity,
    parse,
    with_random_constants,
)
from tests.tolerances import float32_operator

KEYS = """g (float[1,7,12] x, float[1,3,5,4] x_q) => (float[1,3,5,7] y)
<int64[4] heads={{1,7,3,4}}, int64[3] flat={{3,7,4}}, int64[4] back={{1,3,4,7}}, float s={{0.7}}>
{{ h = Reshape(x, heads) t = Transpose<perm=[0,2,1,3]>(h) f = Reshape(t, flat)
   u = Transpose<perm=[0,2,1]>(f) k = Reshape(u, back) {scaling} y = MatMul(x_q, z) }}"""
SCALINGS = ["z = Mul(k, s)", "z = Mul(s, k)", "z = Div(k, s)", "z = Identity(k)"]


@pytest.mark.parametrize("scaling", SCALINGS)
def test_keys_are_read_transposed(scaling: str, litert: LiteRt) -> None:
    found = assert_float_parity(
        parse(KEYS.format(scaling=scaling)), litert, float32_operator(terms=4)
    )
    assert found.count("TRANSPOSE") == 1
    assert found.count("RESHAPE") == 1
    assert found[-1] == "BATCH_MATMUL"


def test_a_chain_that_is_no_transpose_is_left(litert: LiteRt) -> None:
    text = """g (float[2,3,4] x) => (float[4,3,2] y) <int64[3] a={2,4,3}, int64[3] b={4,3,2}>
    { r = Reshape(x, a) t = Transpose<perm=[1,0,2]>(r) y = Reshape(t, b) }"""
    found = assert_float_parity(parse(text), litert, float32_operator(terms=1))
    assert found.count("TRANSPOSE") == 1


def test_rows_stay_apart_where_they_are_wanted_back(litert: LiteRt) -> None:
    text = """g (float[1,3,5,4] x, float[12,6] w) => (float[1,5,6] y)
    <int64[2] flat={5,12}, int64[3] rows={1,5,6}>
    { t = Transpose<perm=[0,2,1,3]>(x) f = Reshape(t, flat) p = MatMul(f, w) r = Reshape(p, rows)
      y = Relu(r) }"""
    model = with_random_constants(parse(text))
    found = assert_float_parity(model, litert, float32_operator(terms=12))
    assert found.count("RESHAPE") == 1
