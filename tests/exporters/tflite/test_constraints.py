"""Annotations that TFLite's kernels cannot take are refused with the reason."""

import onnx_ir as ir
import pytest

from compressor.ir.annotations import quant_of, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from exporters import tflite
from tests.exporters.tflite.harness import (
    OPTIONS,
    params_of,
    parse,
    to_integers,
    with_random_constants,
)

POOL = """g (float[1,1,4,4] x) => (float[1,1,2,2] y)
{ y = MaxPool<kernel_shape=[2,2], strides=[2,2]>(x) }"""
CONV = "g (float[1,2,4,4] x, float[3,2,1,1] w) => (float[1,3,4,4] y) { y = Conv(x, w) }"
SIGMOID = "g (float[1,4] x) => (float[1,4] y) { y = Sigmoid(x) }"
SQRT = "g (float[1,4] x) => (float[1,4] y) { y = Sqrt(x) }"
TWO = "g (float[1,4] x) => (float[1,4] y) { z = Relu(x) y = Tanh(z) }"


def _reason(model: ir.Model) -> str:
    refusals = tflite.check(model, OPTIONS)
    assert len(refusals) == 1
    return refusals[0].reason


@pytest.mark.parametrize(
    ("text", "ranges", "message"),
    [
        (POOL, {"x": (-3, 3), "y": (-2, 2)}, "one scale and zero point"),
        (SIGMOID, {"x": (-3, 3), "y": (0, 1)}, "1/256"),
        (TWO, {"x": (-3, 3), "z": (0, 3), "y": (-1, 1)}, "1/128"),
        (SQRT, {"x": (0, 3), "y": (0, 2)}, "no int8 kernel"),
    ],
)
def test_scales_that_a_kernel_cannot_have(
    text: str, ranges: dict[str, tuple[float, float]], message: str
) -> None:
    assert message in _reason(to_integers(parse(text), ranges))


def test_an_integer_input_without_a_conversion() -> None:
    model = parse(TWO)
    set_quant(model.graph[0].outputs[0], params_of(0, 3))
    set_quant(model.graph.inputs[0], params_of(-3, 3))
    assert "no Convert between" in _reason(model)


def test_an_activation_that_is_not_int8() -> None:
    model = to_integers(parse(TWO), {"x": (-3, 3), "z": (0, 3), "y": (-1, 127 / 128)})
    node = next(node for node in model.graph if node.op_type == "Relu")
    set_quant(node.outputs[0], QuantParams.per_tensor(IntegerType.UINT8, 3 / 255, 0))
    reasons = [refusal.reason for refusal in tflite.check(model, OPTIONS)]
    assert any("is not int8" in reason for reason in reasons)


def _with_weight(params: QuantParams) -> ir.Model:
    model = to_integers(with_random_constants(parse(CONV)), {"x": (-3, 3), "y": (-4, 4)})
    set_quant(model.graph.initializers["w"], params)
    return model


def test_weights_per_input_channel() -> None:
    params = QuantParams.per_channel(IntegerType.INT8, [0.1, 0.2], axis=1)
    assert "per output channel" in _reason(_with_weight(params))


def test_weights_with_a_zero_point() -> None:
    params = QuantParams.per_tensor(IntegerType.INT8, 0.1, 3)
    assert "zero point 0" in _reason(_with_weight(params))


def test_integer_convolution_with_float_weights() -> None:
    model = to_integers(with_random_constants(parse(CONV)), {"x": (-3, 3), "y": (-4, 4)})
    set_quant(model.graph.initializers["w"], None)
    assert "needs integer weights" in _reason(model)
    assert quant_of(model.graph.initializers["w"]) is None
