"""Matrix products are dynamic, other layers store integers, and nothing needs data."""

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.passes.quantize_dynamic import QuantizeDynamic
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import apply, constant, feeds_for, gaussian, graph_of, run_onnx
from tests.tolerances import hybrid_product

LAYERS = """g (float[N,3,4,4] x) => (float[N,5] y) {
  a = Conv(x, k) p = GlobalAveragePool(a) f = Flatten(p) y = Gemm<transB=1>(f, w, b) }"""


def layers() -> ir.Model:
    return graph_of(LAYERS, k=gaussian(8, 3, 1, 1), w=gaussian(5, 8), b=gaussian(5))


def test_products_are_dynamic_and_convolutions_store_integers() -> None:
    model = layers()
    [changes] = apply(model, QuantizeDynamic())
    assert changes.counts == {"products dynamic": 1, "nodes with integer weights": 1}
    by_kind = {node.op_type: precision_of(node) for node in model.graph}
    assert by_kind["Gemm"] is Precision.DYNAMIC
    assert by_kind["Conv"] is Precision.WEIGHT_ONLY
    assert by_kind["Flatten"] is Precision.FLOAT


def test_nodes_stay_float_on_request() -> None:
    model = layers()
    name = model.graph[-1].name or ""
    [changes] = apply(model, QuantizeDynamic(keep_float=frozenset({name})))
    assert changes.counts["products dynamic"] == 0
    assert [entry.node for entry in changes.skipped] == [name]
    assert quant_of(model.graph.initializers["w"]) is None


def test_answers_are_as_near_to_float_as_eight_bits_allow() -> None:
    text = "g (float[N,16] x) => (float[N,8] y) { y = Gemm<transB=1>(x, w) }"
    model = graph_of(text, w=gaussian(8, 16))
    apply(model, QuantizeDynamic())
    params = quant_of(model.graph.initializers["w"])
    assert params is not None
    grid = params.dequantize(params.quantize(constant(model, "w")))
    feeds = feeds_for(model, batch=1)
    have = run_onnx(exporter.write(model, ExportOptions()), feeds)["y"]
    assert np.abs(have - feeds["x"] @ grid.T).max() <= hybrid_product(feeds["x"], grid)
