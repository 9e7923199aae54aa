"""Detours that only pick channels become one slice or gather; others are left alone."""

import pytest

from tests.exporters.tflite.harness import LiteRt, assert_float_parity, parse
from tests.tolerances import float32_operator

SHUFFLE = """g (float[1,6,2,2] x) => (float[1,6,2,2] y)
<int64[5] a={1,2,3,2,2}, int64[4] b={1,6,2,2}>
{ s = Reshape(x, a) t = Transpose<perm=[0,2,1,3,4]>(s) u = Reshape(t, b) y = Relu(u) }"""

HALVES = """g (float[1,6,2,2] x) => (float[1,3,2,2] y, float[1,3,2,2] z)
<int64[3] a={3,2,4}, int64[5] b={2,1,3,2,2}, int64 first={0}, int64 second={1}>
{ s = Reshape(x, a) t = Transpose<perm=[1,0,2]>(s) u = Reshape(t, b)
  y = Gather<axis=0>(u, first) z = Gather<axis=0>(u, second) }"""

ROTATION = """g (float[1,2,2,2] x) => (float[1,2,2,2] y)
{ t = Transpose<perm=[0,1,3,2]>(x) y = Relu(t) }"""

UNDONE = """g (float[1,6,2,2] x) => (float[1,6,2,2] y) <int64[4] b={1,6,2,2}, int64[3] a={1,6,4}>
{ s = Reshape(x, a) t = Transpose<perm=[0,2,1]>(s) u = Transpose<perm=[0,2,1]>(t)
  v = Reshape(u, b) y = Relu(v) }"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SHUFFLE, ["GATHER", "RELU"]),
        (HALVES, ["GATHER", "GATHER"]),
        (ROTATION, ["TRANSPOSE", "RELU"]),
        (UNDONE, ["RELU"]),
    ],
    ids=["shuffle", "halves", "rotation", "undone"],
)
def test_selection(text: str, expected: list[str], litert: LiteRt) -> None:
    found = assert_float_parity(parse(text), litert, float32_operator(terms=1))
    assert sorted(found) == sorted(expected)
