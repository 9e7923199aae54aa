"""Conversions stand where least is converted and moved, and the results do not change."""

import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.annotations import CONVERT, EDGEC_DOMAIN, set_quant
from exporters import tflite
from tests.exporters.tflite.fake_quant import fake_quantized, run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    feeds_for,
    operators,
    params_of,
    parse,
)
from tests.tolerances import ONE_STEP


def _annotated(text: str, ranges: dict[str, tuple[float, float]]) -> ir.Model:
    """Parse *text*, in which ``Convert`` is written as Identity to a name that ends in q or f."""

    model = parse(text)
    for node in model.graph:
        if node.op_type == "Identity":
            node.op_type, node.domain = CONVERT, EDGEC_DOMAIN
        for value in node.outputs:
            if value.name in ranges:
                set_quant(value, params_of(*ranges[value.name]))
    return model


CASES = {
    "a movement of floats is done on integers": (
        """g (float[2,6] x) => (float[6,2] y) { t = Transpose(x) q = Identity(t) r = Relu(q)
        y = Identity(r) }""",
        {"q": (-3, 3), "r": (0, 3)},
        ["QUANTIZE", "TRANSPOSE", "RELU", "DEQUANTIZE"],
    ),
    "a movement behind integers is done on integers": (
        """g (float[2,6] x) => (float[6,2] y) { q = Identity(x) r = Relu(q) f = Identity(r)
        y = Transpose(f) }""",
        {"q": (-3, 3), "r": (0, 3)},
        ["QUANTIZE", "RELU", "TRANSPOSE", "DEQUANTIZE"],
    ),
    "there and back at one scale is nothing": (
        """g (float[2,6] x) => (float[2,6] y) { q = Identity(x) r = Relu(q) f = Identity(r)
        p = Identity(f) s = Abs(p) y = Identity(s) }""",
        {"q": (-3, 3), "r": (0, 3), "p": (0, 3), "s": (0, 4)},
        ["QUANTIZE", "RELU", "ABS", "DEQUANTIZE"],
    ),
    "there and back at another scale is one step": (
        """g (float[2,6] x) => (float[2,6] y) { q = Identity(x) r = Relu(q) f = Identity(r)
        p = Identity(f) s = Abs(p) y = Identity(s) }""",
        {"q": (-3, 3), "r": (0, 3), "p": (0, 2), "s": (0, 2)},
        ["QUANTIZE", "RELU", "QUANTIZE", "ABS", "DEQUANTIZE"],
    ),
    "what is dropped is not converted": (
        """g (float[2,6] x) => (float[1,6] y) <int64[1] b={1}, int64[1] e={2}, int64[1] a={0}>
        { t = Slice(x, b, e, a) q = Identity(t) r = Relu(q) y = Identity(r) }""",
        {"q": (-3, 3), "r": (0, 3)},
        ["SLICE", "QUANTIZE", "RELU", "DEQUANTIZE"],
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_place(name: str, litert: LiteRt) -> None:
    text, ranges, expected = CASES[name]
    model = _annotated(text, ranges)
    assert tflite.check(model, OPTIONS) == []
    data = tflite.write(model, OPTIONS)
    assert operators(data) == expected
    feeds = feeds_for(model)
    want, have = run_onnx(fake_quantized(model), feeds)["y"], litert(data, feeds)["y"]
    step = params_of(*ranges[list(ranges)[-1]]).scale[0]
    assert np.abs(have - want).max() <= ONE_STEP * step
