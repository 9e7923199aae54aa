"""The flatbuffer: alignment, shared buffers, and the form in which constants are stored."""

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import Precision, set_precision, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from exporters import tflite
from exporters.protocol import ExportOptions, WeightType
from tests.exporters.tflite.fake_quant import fake_quantized, run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    feeds_for,
    operators,
    parse,
    set_constant,
    to_integers,
    unpacked,
    with_random_constants,
)
from tests.tolerances import ONE_STEP, float32_operator

DENSE = """g (float[1,32] x, float[24,32] w, float[24] b) => (float[1,24] y)
{ y = Gemm<transB=1>(x, w, b) }"""
FP16 = ExportOptions(float_weights=WeightType.FLOAT16)


def test_buffers_start_at_multiples_of_16_bytes() -> None:
    data = tflite.write(with_random_constants(parse(DENSE)), OPTIONS)
    model = schema.Model.GetRootAs(data, 0)
    starts = []
    for index in range(model.BuffersLength()):
        table = model.Buffers(index)._tab
        field = flatbuffers.number_types.UOffsetTFlags.py_type(table.Offset(4))
        if field:
            starts.append(table.Vector(field))
    assert starts
    assert all(start % 16 == 0 for start in starts)


def test_the_file_is_recognised_as_tflite() -> None:
    data = tflite.write(with_random_constants(parse(DENSE)), OPTIONS)
    assert data[4:8] == b"TFL3"


def test_equal_constants_share_a_buffer() -> None:
    text = """g (float[1,8] x, float[8,8] v, float[8,8] w) => (float[1,8] y)
    { z = MatMul(x, v) y = MatMul(z, w) }"""
    model = parse(text)
    weight = np.eye(8, dtype=np.float32) * 2
    set_constant(model, "v", weight)
    set_constant(model, "w", weight)
    file = unpacked(tflite.write(model, OPTIONS))
    tensors = {tensor.name: tensor for tensor in file.subgraphs[0].tensors}
    assert tensors[b"v"].buffer == tensors[b"w"].buffer
    assert len({bytes(b.data) for b in file.buffers if b.data is not None}) == sum(
        b.data is not None for b in file.buffers
    )


def test_tensor_names_are_unique() -> None:
    text = "g (float[1,6] x, float[6,6] w) => (float[1,6] y) { z = MatMul(x, w) y = MatMul(z, w) }"
    file = unpacked(tflite.write(with_random_constants(parse(text)), OPTIONS))
    names = [tensor.name for tensor in file.subgraphs[0].tensors]
    assert len(set(names)) == len(names)


def test_integer_weights_carry_scales_per_channel() -> None:
    model = to_integers(with_random_constants(parse(DENSE)), {"x": (-3, 3), "y": (-4, 4)})
    file = unpacked(tflite.write(model, OPTIONS))
    tensors = {tensor.name: tensor for tensor in file.subgraphs[0].tensors}
    weight, bias = tensors[b"w"], tensors[b"b"]
    assert (weight.type, bias.type) == (schema.TensorType.INT8, schema.TensorType.INT32)
    assert len(weight.quantization.scale) == len(bias.quantization.scale) == 24
    assert weight.quantization.quantizedDimension == 0
    assert not np.any(weight.quantization.zeroPoint)


def test_depthwise_weights_are_quantized_along_the_last_axis() -> None:
    text = """g (float[1,6,8,8] x, float[6,1,3,3] w) => (float[1,6,6,6] y)
    { y = Conv<group=6>(x, w) }"""
    model = to_integers(with_random_constants(parse(text)), {"x": (-3, 3), "y": (-4, 4)})
    file = unpacked(tflite.write(model, OPTIONS))
    weight = next(t for t in file.subgraphs[0].tensors if t.name == b"w")
    assert list(weight.shape) == [1, 3, 3, 6]
    assert weight.quantization.quantizedDimension == 3


def test_float16_keeps_small_and_huge_constants() -> None:
    text = """g (float[1,32] x, float[32,4] w, float[1,32] huge) => (float[1,4] y)
    { z = Add(x, huge) y = MatMul(z, w) }"""
    model = with_random_constants(parse(text))
    model.graph.initializers["huge"].const_value = model.graph.initializers["huge"].const_value
    large = np.full((1, 32), 1e6, np.float32)
    large[0, 0] = 0.0
    value = model.graph.initializers["huge"]
    value.const_value = type(value.const_value)(large, name="huge")
    file = unpacked(tflite.write(model, FP16))
    kinds = {tensor.name: tensor.type for tensor in file.subgraphs[0].tensors}
    assert kinds[b"huge"] == schema.TensorType.FLOAT32
    assert kinds[b"w/float16"] == schema.TensorType.FLOAT16


IMAGE = "g (float[1,1,6,6] x, float[8,1,3,3] w) => (float[1,8,4,4] y) { y = Conv(x, w) }"


@pytest.mark.parametrize("precision", [Precision.WEIGHT_ONLY, Precision.DYNAMIC])
@pytest.mark.parametrize(("text", "product"), [(DENSE, "FULLY_CONNECTED"), (IMAGE, "CONV_2D")])
def test_float_activations_with_integer_weights(
    text: str, product: str, precision: Precision, litert: LiteRt
) -> None:
    model = with_random_constants(parse(text))
    node, weight = model.graph[0], model.graph.initializers["w"]
    array = weight.const_value.numpy()
    array = array.reshape(len(array), -1)
    scale = np.abs(array).max(axis=1) / 127
    set_quant(weight, QuantParams.per_channel(IntegerType.INT8, scale, 0))
    set_precision(node, precision)
    data = tflite.write(model, OPTIONS)
    is_hybrid = precision is Precision.DYNAMIC
    found = [name for name in operators(data) if name in (product, "DEQUANTIZE")]
    assert found == ([product] if is_hybrid else ["DEQUANTIZE", product])
    feeds = feeds_for(model)
    want, have = run_onnx(fake_quantized(model), feeds)["y"], litert(data, feeds)["y"]
    # A hybrid product rounds its input to 255 steps, which is off by half a step of its range.
    rounding = 0.5 * 6 / 255 * np.abs(array).sum(axis=1).max() if is_hybrid else 0.0
    tolerance = float32_operator(terms=32) * np.abs(want).max() + rounding
    np.testing.assert_allclose(have, want, rtol=0, atol=tolerance)


def test_a_float_bias_of_an_integer_product_is_written_as_integers(litert: LiteRt) -> None:
    model = to_integers(with_random_constants(parse(DENSE)), {"x": (-3, 3), "y": (-4, 4)})
    reference = fake_quantized(model)
    set_quant(model.graph.initializers["b"], None)
    feeds = feeds_for(model)
    data = tflite.write(model, OPTIONS)
    bias = next(t for t in unpacked(data).subgraphs[0].tensors if t.name == b"b")
    assert bias.type == schema.TensorType.INT32
    steps = np.abs(litert(data, feeds)["y"] - run_onnx(reference, feeds)["y"]) / (8 / 255)
    assert steps.max() <= ONE_STEP
