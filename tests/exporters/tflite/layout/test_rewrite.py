"""A graph computes the same in any order, and whole networks keep no stray Transpose."""

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings

from compressor.passes.protocol import PassContext
from compressor.passes.set_io_layout import SetIoLayout
from exporters import tflite
from exporters.protocol import ExportOptions
from tests.exporters.tflite.fake_quant import run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    assert_float_parity,
    feeds_for,
    operators,
    parse,
    with_random_constants,
)
from tests.exporters.tflite.random_graphs import random_graphs
from tests.tolerances import float32_network

NODES = 10
TERMS = 400


@settings(max_examples=60)
@given(model=random_graphs(max_nodes=NODES))
def test_random_graphs_compute_the_same(model: ir.Model, litert: LiteRt) -> None:
    tolerance = float32_network(layers=NODES, terms=TERMS)
    assert_float_parity(model, litert, tolerance, feeds_for(model, low=-1, high=1))


def test_images_may_be_channels_last_at_the_interface(litert: LiteRt) -> None:
    text = """g (float[1,3,6,5] x, float[4,3,3,3] w) => (float[1,4,6,5] y)
    { c = Conv<pads=[1,1,1,1]>(x, w) y = Relu(c) }"""
    model = with_random_constants(parse(text))
    feeds = feeds_for(model)
    last = model.clone()
    SetIoLayout().run(last, PassContext())
    data = tflite.write(last, ExportOptions())
    assert operators(data) == ["CONV_2D"]
    have = litert(data, {"x": feeds["x"].transpose(0, 2, 3, 1)})["y"]
    want = run_onnx(model, feeds)["y"].transpose(0, 2, 3, 1)
    assert have.shape == want.shape
    tolerance = float32_network(layers=1, terms=27)
    np.testing.assert_allclose(have, want, rtol=0, atol=tolerance * np.abs(want).max())


FREE = {
    "residual block": (
        """g (float[1,1,8,8] x, float[4,1,3,3] a, float[4,4,3,3] b, float[5,4] f) => (float[1,5] y)
        { p = Conv<pads=[1,1,1,1]>(x, a) q = Conv<pads=[1,1,1,1]>(p, b) r = Add(p, q) s = Relu(r)
          m = GlobalAveragePool(s) n = Flatten(m) y = Gemm<transB=1>(n, f) }""",
        ["RESHAPE", "CONV_2D", "CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED"],
    ),
    "flattened image": (
        """g (float[1,1,4,4] x, float[3,1,1,1] a, float[5,48] f, float[7,48] h)
        => (float[1,5] y, float[1,7] z)
        { c = Conv(x, a) r = Flatten(c) s = Relu(r) y = Gemm<transB=1>(s, f)
          z = Gemm<transB=1>(s, h) }""",
        ["RESHAPE", "CONV_2D", "RESHAPE", "RELU", "FULLY_CONNECTED", "FULLY_CONNECTED"],
    ),
    "channel softmax": (
        """g (float[1,1,4,4] x, float[4,1,1,1] a, float[1,4,1,1] b) => (float[1,1,4,4] y)
        { c = Conv(x, a) s = Softmax<axis=1>(c) y = Conv(s, b) }""",
        ["RESHAPE", "CONV_2D", "SOFTMAX", "CONV_2D", "RESHAPE"],
    ),
    "1-D convolution": (
        """g (float[1,1,8] x, float[4,1,3] a, float[1,4,3] b) => (float[1,1,8] y)
        { c = Conv<pads=[1,1]>(x, a) r = Tanh(c) y = Conv<pads=[1,1]>(r, b) }""",
        ["RESHAPE", "CONV_2D", "RESHAPE", "TANH", "RESHAPE", "CONV_2D", "RESHAPE"],
    ),
}


@pytest.mark.parametrize("name", list(FREE))
def test_networks_keep_no_transpose(name: str, litert: LiteRt) -> None:
    text, expected = FREE[name]
    model = with_random_constants(parse(text))
    found = assert_float_parity(model, litert, float32_network(layers=4, terms=36))
    assert found == expected
    assert operators(tflite.write(model, OPTIONS)) == expected
