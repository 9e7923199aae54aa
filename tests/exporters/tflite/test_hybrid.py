"""Integer products that give floats are written in hybrid form, from the same integer weights."""

import numpy as np

from compressor.ir.annotations import quant_of
from exporters import tflite
from tests.exporters.tflite.harness import OPTIONS, LiteRt, operators
from tests.graphs import feeds_for, gaussian, graph_of
from tests.quantized import quantized
from tests.tolerances import hybrid_product

TEXT = "g (float[1,16] x) => (float[1,8] y) { a = Gemm<transB=1>(x, w, b) y = Softmax(a) }"


def test_product_between_floats_is_hybrid() -> None:
    model = graph_of(TEXT, w=gaussian(8, 16), b=gaussian(8, seed=1))
    quantized(model)
    assert operators(tflite.write(model, OPTIONS)) == ["FULLY_CONNECTED", "SOFTMAX"]


def test_hybrid_product_is_as_near_to_float_as_its_rounding_allows(litert: LiteRt) -> None:
    weight, bias = gaussian(8, 16), gaussian(8, seed=1)
    model = graph_of(
        "g (float[1,16] x) => (float[1,8] y) { y = Gemm<transB=1>(x, w, b) }", w=weight, b=bias
    )
    quantized(model)
    stored = quant_of(model.graph.initializers["w"])
    assert stored is not None
    grid = stored.dequantize(stored.quantize(weight))
    feeds = feeds_for(model, batch=1)
    answer = litert(tflite.write(model, OPTIONS), feeds)["y"]
    gap = np.abs(answer - (feeds["x"] @ grid.T + bias)).max()
    assert gap <= hybrid_product(feeds["x"], grid)


def test_integers_that_a_node_made_are_converted_for_the_hybrid_product() -> None:
    text = """g (float[1,16] x) => (float[1,16] y) {
      a = Gemm<transB=1>(x, w) r = Relu(a) c = Gemm<transB=1>(r, w) y = Softmax(c) }"""
    model = graph_of(text, w=gaussian(16, 16))
    quantized(model)
    names = operators(tflite.write(model, OPTIONS))
    assert names == ["QUANTIZE", "FULLY_CONNECTED", "DEQUANTIZE", "FULLY_CONNECTED", "SOFTMAX"]
