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
    assert_float_parity,
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


VARIANTS = {
    "clip": "GRU<hidden_size=4, clip=0.2>(x, w, r, b)",
    "activations": 'GRU<hidden_size=4, activations=["HardSigmoid", "Relu"]>(x, w, r, b)',
    "lengths": "GRU<hidden_size=4>(x, w, r, b, x_n)",
    "stored lengths": "GRU<hidden_size=4>(x, w, r, b, n)",
    "backwards": 'GRU<hidden_size=4, direction="reverse">(x, w, r, b, n)',
}
TEXT = """g (float[5,5,3] x, float[1,12,3] w, float[1,12,4] r, float[1,24] b, int32[5] x_n)
=> (float[5,1,5,4] y, float[1,5,4] z) <int32[5] n={{5,1,3,2,4}}> {{ y, z = {form} }}"""


@pytest.mark.parametrize("name", list(VARIANTS))
def test_variants(name: str, litert: LiteRt) -> None:
    model = with_random_constants(parse(TEXT.format(form=VARIANTS[name])))
    feeds = feeds_for(model) | {"x_n": np.asarray([3, 5, 1, 4, 2], np.int32)}
    assert_float_parity(model, litert, float32_network(layers=STEPS, terms=16), feeds)


LSTM = """g (float[4,2,3] x, float[1,16,3] w, float[1,16,4] r, float[1,32] b, float[1,12] p)
=> (float[4,1,2,4] y, float[1,2,4] z, float[1,2,4] c)
{{ y, z, c = LSTM<{form}>(x, w, r, b, , , , p) }}"""


@pytest.mark.parametrize("form", ["hidden_size=4", "hidden_size=4, input_forget=1"])
def test_peepholes(form: str, litert: LiteRt) -> None:
    model = with_random_constants(parse(LSTM.format(form=form)))
    assert_float_parity(model, litert, float32_network(layers=STEPS, terms=16))


def test_the_batch_comes_first(litert: LiteRt) -> None:
    text = "g (float[{shape}] x, float[1,12,3] w, float[1,12,4] r) => (float[{out}] y)"
    straight = text.format(shape="5,2,3", out="5,1,2,4") + " { y = GRU<hidden_size=4>(x, w, r) }"
    turned = text.format(shape="2,5,3", out="2,5,1,4")
    turned += " { y = GRU<hidden_size=4, layout=1>(x, w, r) }"
    models = [with_random_constants(parse(text)) for text in (straight, turned)]
    feeds = feeds_for(models[0])
    want = litert(tflite.write(models[0], OPTIONS), feeds)["y"]
    moved = {"x": feeds["x"].transpose(1, 0, 2)}
    have = litert(tflite.write(models[1], OPTIONS), moved)["y"]
    np.testing.assert_array_equal(have, want.transpose(2, 0, 1, 3))


def test_activations_with_parameters_are_refused() -> None:
    form = (
        'GRU<hidden_size=4, activations=["HardSigmoid", "Tanh"], activation_alpha=[0.3]>(x, w, r)'
    )
    model = with_random_constants(parse(TEXT.format(form=form)))
    assert [refusal.op_type for refusal in tflite.check(model, OPTIONS)] == ["GRU"]
