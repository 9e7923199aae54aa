"""Unrolled recurrences share their weights, in whatever form those are stored."""

import numpy as np
import pytest

from compressor.ir.annotations import Precision, set_precision, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from exporters import tflite
from tests.exporters.tflite.fake_quant import fake_quantized, run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    feeds_for,
    operators,
    parse,
    unpacked,
    with_random_constants,
)
from tests.tolerances import float32_network

STEPS = 5
FORMS = {
    "GRU": """g (float[5,1,3] x, float[1,12,3] w, float[1,12,4] r, float[1,24] b)
    => (float[1,1,4] z) { y, z = GRU<hidden_size=4, linear_before_reset=1>(x, w, r, b) }""",
    "LSTM": """g (float[5,1,3] x, float[1,16,3] w, float[1,16,4] r, float[1,32] b)
    => (float[1,1,4] z) { y, z = LSTM<hidden_size=4>(x, w, r, b) }""",
}


@pytest.mark.parametrize("name", list(FORMS))
def test_integer_weights_are_dequantized_once(name: str, litert: LiteRt) -> None:
    model = with_random_constants(parse(FORMS[name]))
    for weight in ("w", "r"):
        value = model.graph.initializers[weight]
        scale = np.abs(value.const_value.numpy()).max(axis=(0, 2)) / 127
        set_quant(value, QuantParams.per_channel(IntegerType.INT8, scale, 1))
    set_precision(model.graph[0], Precision.WEIGHT_ONLY)
    data = tflite.write(model, OPTIONS)
    weights = 4 if name == "GRU" else 2
    assert operators(data).count("DEQUANTIZE") == weights
    feeds = feeds_for(model)
    want, have = run_onnx(fake_quantized(model), feeds)["z"], litert(data, feeds)["z"]
    tolerance = float32_network(layers=STEPS, terms=16)
    np.testing.assert_allclose(have, want, rtol=0, atol=tolerance * np.abs(want).max())


@pytest.mark.parametrize("name", list(FORMS))
def test_every_step_reads_the_same_weight_tensor(name: str) -> None:
    file = unpacked(tflite.write(with_random_constants(parse(FORMS[name])), OPTIONS))
    tensors = file.subgraphs[0].tensors
    recurrent = [tensor for tensor in tensors if tensor.name.startswith(b"r")]
    assert len(recurrent) == (2 if name == "GRU" else 1)


REFUSED = {
    "clip": "GRU<hidden_size=4, clip=1.0>(x, w, r, b)",
    "layout": "GRU<hidden_size=4, layout=1>(x, w, r, b)",
    "activations": 'GRU<hidden_size=4, activations=["Relu", "Tanh"]>(x, w, r, b)',
    "lengths": "GRU<hidden_size=4>(x, w, r, b, x_n)",
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_variants_are_refused(name: str) -> None:
    text = f"""g (float[5,5,3] x, float[1,12,3] w, float[1,12,4] r, float[1,24] b, int32[5] x_n)
    => (float[1,5,4] z) {{ y, z = {REFUSED[name]} }}"""
    model = with_random_constants(parse(text))
    assert [refusal.op_type for refusal in tflite.check(model, OPTIONS)] == ["GRU"]
