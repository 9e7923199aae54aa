import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

from compressor.ir.quant import IntegerType, QuantParams
from compressor.quantizers.affine import (
    DEAD_RANGE,
    SMALLEST_SHARE,
    WEIGHT_STEPS,
    bias_params,
    params_of_range,
    smallest_weight_scale,
    weight_params,
)
from tests.graphs import gaussian
from tests.tolerances import quantization_step

LARGEST = float(np.finfo(np.float32).max)
REALS = st.floats(-LARGEST, LARGEST, width=32)
ACTIVATIONS = [IntegerType.INT8, IntegerType.UINT8, IntegerType.INT16]


@given(REALS, REALS, st.sampled_from(ACTIVATIONS))
@example(0.0, 0.0, IntegerType.INT8)
@example(-LARGEST, LARGEST, IntegerType.INT8)
@example(1e-45, 1e-45, IntegerType.UINT8)
@example(5.0, 6.0, IntegerType.INT8)
@example(-6.0, -5.0, IntegerType.INT8)
def test_range_is_covered_up_to_half_a_step_and_zero_is_exact(
    one: float, other: float, dtype: IntegerType
) -> None:
    low, high = min(one, other), max(one, other)
    params = params_of_range(low, high, dtype)
    assert params.dequantize(params.quantize(0.0)) == 0.0
    start, end = params.range()
    step = params.scale[0]
    slack = step / 2 + quantization_step(low, high) * 2
    assert start <= low + slack
    assert end >= high - slack


@given(REALS, REALS)
def test_no_step_is_wasted(one: float, other: float) -> None:
    """The integers used reach from one end of the type to within one of the other."""
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    params = params_of_range(low, high, IntegerType.INT8)
    if high - low >= DEAD_RANGE:
        assert int(params.quantize(low)) <= -127
        assert int(params.quantize(high)) >= 126


def test_known_parameters() -> None:
    assert params_of_range(0.0, 255.0, IntegerType.UINT8) == QuantParams.per_tensor(
        IntegerType.UINT8, 1.0, 0
    )
    assert params_of_range(-128.0, 127.0, IntegerType.INT8) == QuantParams.per_tensor(
        IntegerType.INT8, 1.0, 0
    )
    assert params_of_range(51.0, 255.0, IntegerType.INT8).zero_point == (-128,)
    assert params_of_range(-255.0, -51.0, IntegerType.INT8).zero_point == (127,)


@pytest.mark.parametrize("shape", [(5, 3, 2, 2), (5, 7), (5, 1, 3)])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_weights_use_the_whole_symmetric_range(shape: tuple[int, ...], axis: int) -> None:
    weight = gaussian(*shape)
    params = weight_params(weight, axis)
    integers = params.quantize(weight).astype(int)
    assert params.dtype is IntegerType.INT8
    assert set(params.zero_point) == {0}
    channels = np.moveaxis(np.abs(integers), axis, 0).reshape(shape[axis], -1)
    assert channels.max(axis=1).tolist() == [WEIGHT_STEPS] * shape[axis]
    error = np.abs(params.dequantize(params.quantize(weight)) - weight)
    scale = np.moveaxis(
        np.broadcast_to(params.scale_array(), (1,) * (len(shape) - 1) + (shape[axis],)), -1, axis
    )
    assert np.all(error <= scale / 2 * (1 + np.finfo(np.float32).eps))


def test_zero_channel_has_a_usable_scale() -> None:
    """Kernels multiply by s_in * s_w / s_out in fixed point, which a scale near 0 would leave."""
    weight = gaussian(3, 4)
    weight[1] = 0
    params = weight_params(weight, 0)
    assert params.scale[1] >= max(params.scale) * SMALLEST_SHARE / 2
    assert not params.quantize(weight)[1].any()


@pytest.mark.parametrize("size", [0.0, 1e-45, 1e-38, 1e-30, 1e-13])
def test_dead_layer_has_usable_scales(size: float) -> None:
    """Weight decay leaves denormal weights in layers that nothing reads."""
    weight = np.full((2, 3), size, np.float32)
    params = weight_params(weight, 0)
    activation = params_of_range(0.0, size, IntegerType.INT8)
    stored = bias_params(activation, params)
    assert min(params.scale) > np.finfo(np.float32).eps * SMALLEST_SHARE
    assert stored.quantize([0.0, 0.0]).tolist() == [0, 0]
    assert not params.quantize(weight).any()


def test_empty_weight_has_parameters() -> None:
    assert len(weight_params(np.zeros((3, 0), np.float32), 0).scale) == 3


@given(
    st.floats(2.0**-40, 2.0**14, width=32),
    st.floats(2.0**-20, 2.0**20, width=32),
    st.floats(0, 1e6, width=32),
)
def test_bias_never_overflows_int32(weight_size: float, scale: float, bias_size: float) -> None:
    """The weight's scale grows until the bias fits; the bias keeps a relative error of 2**-30."""
    activation = QuantParams.per_tensor(IntegerType.INT8, scale, 0)
    weight = gaussian(4, 5) * np.float32(weight_size)
    bias = np.array([bias_size, -bias_size, 0, bias_size / 3], np.float32)
    params = weight_params(weight, 0, smallest_weight_scale(bias, activation))
    stored = bias_params(activation, params)
    integers = stored.quantize(bias)
    assert np.all(np.abs(integers.astype(np.int64)) < 2**31 - 1)
    steps = np.asarray(stored.scale)
    error = np.abs(stored.dequantize(integers) - bias)
    assert np.all(error <= steps / 2 + quantization_step(0, bias_size))


def test_bias_scale_is_the_product() -> None:
    activation = QuantParams.per_tensor(IntegerType.INT8, 0.3, 5)
    weight = weight_params(gaussian(3, 4), 0)
    params = bias_params(activation, weight)
    assert params.dtype is IntegerType.INT32
    assert params.axis == 0
    expected = np.float32(activation.scale[0]) * weight.scale_array()
    np.testing.assert_array_equal(params.scale_array(), expected)


def test_normal_bias_leaves_the_weight_scale_alone() -> None:
    activation = params_of_range(-1.0, 1.0, IntegerType.INT8)
    weight = gaussian(4, 5)
    smallest = smallest_weight_scale(gaussian(4, seed=1), activation)
    assert weight_params(weight, 0, smallest) == weight_params(weight, 0)
