"""Expressions that one TFLite operator computes are found in every usual spelling."""

import pytest

from tests.exporters.tflite.harness import LiteRt, assert_float_parity, parse
from tests.exporters.tflite.stages import kinds, legalized
from tests.tolerances import float32_operator

GELU = """g (float[2,5] x) => (float[2,5] y)
<float one={{1.0}}, float half={{0.5}}, float two={{2.0}}, float root={{1.41421356}},
 float r={{0.70710678}}>
{{ {body} }}"""

SPELLINGS = {
    "left to right": "d = Div(x, root) e = Erf(d) p = Add(e, one) m = Mul(x, p) y = Mul(m, half)",
    "halved first": "d = Mul(x, r) e = Erf(d) p = Add(one, e) h = Mul(half, x) y = Mul(h, p)",
    "halved inside": "d = Mul(r, x) e = Erf(d) p = Add(e, one) h = Mul(p, half) y = Mul(x, h)",
    "divided": "d = Div(x, root) e = Erf(d) p = Add(e, one) m = Mul(p, x) y = Div(m, two)",
}


@pytest.mark.parametrize("name", list(SPELLINGS))
def test_gelu(name: str, litert: LiteRt) -> None:
    model = parse(GELU.format(body=SPELLINGS[name]))
    assert assert_float_parity(model, litert, float32_operator(terms=1)) == ["GELU"]


def test_gelu_of_a_product(litert: LiteRt) -> None:
    body = (
        "a = Mul(x, x) d = Div(a, root) e = Erf(d) p = Add(e, one) m = Mul(a, p) y = Mul(m, half)"
    )
    model = parse(GELU.format(body=body))
    assert assert_float_parity(model, litert, float32_operator(terms=1)) == ["MUL", "GELU"]


NEAR = {
    "another factor": "d = Div(x, root) e = Erf(d) p = Add(e, one) m = Mul(x, p) y = Mul(m, two)",
    "another argument": "d = Div(x, two) e = Erf(d) p = Add(e, one) m = Mul(x, p) y = Mul(m, half)",
    "another summand": "d = Div(x, root) e = Erf(d) p = Add(e, two) m = Mul(x, p) y = Mul(m, half)",
}


@pytest.mark.parametrize("name", list(NEAR))
def test_what_only_looks_like_gelu_is_written_out(name: str, litert: LiteRt) -> None:
    model = parse(GELU.format(body=NEAR[name]))
    assert len(assert_float_parity(model, litert, float32_operator(terms=1))) > 2


@pytest.mark.parametrize("inverse", ["y = Div(s, r)", "y = Reciprocal(r)"])
def test_rsqrt(inverse: str) -> None:
    text = f"g (float[2,5] x) => (float[2,5] y) <float s={{1.0}}> {{ r = Sqrt(x) {inverse} }}"
    assert "Rsqrt" in kinds(legalized(parse(text)))
