import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

from compressor.ir.quant import IntegerType, QuantParams
from tests.tolerances import quantization_step

NARROW = [IntegerType.INT8, IntegerType.UINT8, IntegerType.INT16]
SCALES = st.floats(2.0**-100, 2.0**100, width=32)


@st.composite
def per_tensor(draw: st.DrawFn) -> QuantParams:
    dtype = draw(st.sampled_from(NARROW))
    return QuantParams.per_tensor(
        dtype, draw(SCALES), draw(st.integers(min_value=dtype.low, max_value=dtype.high))
    )


def all_integers(dtype: IntegerType) -> np.ndarray:
    return np.arange(dtype.low, dtype.high + 1, dtype=dtype.numpy)


@given(per_tensor())
def test_integers_survive_the_way_to_reals_and_back(params: QuantParams) -> None:
    integers = all_integers(params.dtype)
    back = params.quantize(params.dequantize(integers))
    assert back.dtype == params.dtype.numpy
    np.testing.assert_array_equal(back, integers)


@given(per_tensor(), st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_error_is_at_most_half_a_step_inside_the_range(
    params: QuantParams, shares: list[float]
) -> None:
    low, high = params.range()
    reals = np.array([low + (share + 1) / 2 * (high - low) for share in shares])
    error = np.abs(params.dequantize(params.quantize(reals)) - reals)
    assert np.all(error <= params.scale[0] / 2 + quantization_step(low, high))


@given(per_tensor(), st.floats(0, 1e6))
def test_values_outside_saturate(params: QuantParams, excess: float) -> None:
    low, high = params.range()
    beyond = excess * params.scale[0]
    assert params.quantize(low - beyond) == params.dtype.low
    assert params.quantize(high + beyond) == params.dtype.high


@given(per_tensor())
def test_zero_is_exact(params: QuantParams) -> None:
    assert params.quantize(0.0) == params.zero_point[0]
    assert params.dequantize(params.quantize(0.0)) == 0.0


@given(
    SCALES,
    st.integers(-128, 127),
    arrays.arrays(np.float32, 16, elements=st.floats(-1e6, 1e6, width=32)),
)
def test_shifted_means_the_same_reals(scale: float, zero: int, reals: np.ndarray) -> None:
    signed = QuantParams.per_tensor(IntegerType.INT8, scale, zero)
    unsigned = signed.shifted(IntegerType.UINT8)
    assert unsigned.shifted(IntegerType.INT8) == signed
    assert unsigned.range() == signed.range()
    np.testing.assert_array_equal(
        unsigned.quantize(reals).astype(int), signed.quantize(reals).astype(int) + 128
    )
    np.testing.assert_array_equal(
        unsigned.dequantize(unsigned.quantize(reals)), signed.dequantize(signed.quantize(reals))
    )


def test_shifting_to_another_width_is_refused() -> None:
    with pytest.raises(ValueError, match="width"):
        QuantParams.per_tensor(IntegerType.INT8, 1.0, 0).shifted(IntegerType.INT16)


@given(st.floats(1e-30, 1e30))
def test_scales_are_rounded_to_float32(scale: float) -> None:
    assert QuantParams.per_tensor(IntegerType.INT8, scale, 0).scale == (float(np.float32(scale)),)
    per_channel = QuantParams.per_channel(IntegerType.INT8, [scale, 2 * scale], 0)
    assert np.float32(per_channel.scale[1]) == np.float32(2 * scale)
    assert per_channel.scale_array().dtype == np.float32


def test_ties_go_to_even() -> None:
    params = QuantParams.per_tensor(IntegerType.INT8, 1.0, 3)
    assert params.quantize([-1.5, -0.5, 0.5, 1.5, 2.5]).tolist() == [1, 3, 3, 5, 5]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_per_channel_uses_each_scale_on_its_slice(axis: int) -> None:
    values = np.random.default_rng(0).standard_normal((3, 3, 3)).astype(np.float32)
    scales = np.array([0.01, 0.1, 1.0], np.float32)
    params = QuantParams.per_channel(IntegerType.INT8, scales, axis)
    whole = params.quantize(values)
    for index, scale in enumerate(scales):
        alone = QuantParams.per_tensor(IntegerType.INT8, float(scale), 0)
        part = np.take(values, index, axis)
        np.testing.assert_array_equal(np.take(whole, index, axis), alone.quantize(part))
        np.testing.assert_array_equal(
            np.take(params.dequantize(whole), index, axis), alone.dequantize(alone.quantize(part))
        )


def test_arrays_for_exporters() -> None:
    tensor = QuantParams.per_tensor(IntegerType.UINT8, 0.5, 7)
    assert (tensor.scale_array().shape, tensor.zero_point_array().shape) == ((), ())
    assert tensor.zero_point_array().dtype == np.uint8
    channels = QuantParams.per_channel(IntegerType.INT32, [1, 2], 0)
    assert channels.zero_point_array().tolist() == [0, 0]
    assert channels.zero_point_array().dtype == np.int32


@pytest.mark.parametrize(
    ("scale", "zero_point", "axis"),
    [
        ((), (), 0),
        ((1.0, 1.0), (0,), 0),
        ((1.0, 1.0), (0, 0), None),
        ((0.0,), (0,), None),
        ((-1.0,), (0,), None),
        ((float("nan"),), (0,), None),
        ((float("inf"),), (0,), None),
        ((0.1,), (0,), None),
        ((1.0,), (128,), None),
        ((1.0,), (-129,), None),
    ],
)
def test_meaningless_parameters_are_refused(
    scale: tuple[float, ...], zero_point: tuple[int, ...], axis: int | None
) -> None:
    with pytest.raises(ValueError, match=r"scale|zero|per-tensor"):
        QuantParams(dtype=IntegerType.INT8, scale=scale, zero_point=zero_point, axis=axis)


@pytest.mark.parametrize("dtype", list(IntegerType))
def test_bounds_of_the_storage_types(dtype: IntegerType) -> None:
    assert dtype.high - dtype.low == 2 ** (8 * dtype.numpy.itemsize) - 1
    params = QuantParams.per_tensor(dtype, 1.0, 0)
    assert params.quantize([-1e30, 1e30]).tolist() == [dtype.low, dtype.high]
