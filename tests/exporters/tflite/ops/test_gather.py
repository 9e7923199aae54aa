"""Rows of an integer table: only those that are looked up become float."""

import numpy as np

from compressor.ir.annotations import quant_of
from compressor.passes.quantize_weights import QuantizeWeights
from exporters import tflite
from tests.exporters.tflite.harness import OPTIONS, LiteRt, operators
from tests.graphs import apply, constant, gaussian, graph_of


def test_rows_are_picked_as_integers_and_restored_exactly(litert: LiteRt) -> None:
    model = graph_of(
        "g (int64[1,5] x) => (float[1,5,4] y) { y = Gather<axis=0>(table, x) }",
        table=gaussian(9, 4),
    )
    apply(model, QuantizeWeights())
    params = quant_of(model.graph.initializers["table"])
    assert params is not None
    data = tflite.write(model, OPTIONS)
    assert operators(data) == ["GATHER", "DEQUANTIZE"]
    x = np.array([[0, 8, 3, 3, 1]])
    table = params.dequantize(params.quantize(constant(model, "table")))
    np.testing.assert_array_equal(litert(data, {"x": x})["y"], table[x])
