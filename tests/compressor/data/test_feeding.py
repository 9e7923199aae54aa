from typing import Any

import hypothesis
import hypothesis.strategies as st
import numpy as np
import numpy.typing as npt
import pytest

from compressor.data.description import Feeding
from compressor.data.feeding import plan_feeding
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Layout, TensorSpec
from compressor.ir.quant import IntegerType, QuantParams

LAYOUTS = st.sampled_from([Layout.NCHW, Layout.NHWC])


def ordered(array: npt.NDArray[Any], layout: Layout) -> npt.NDArray[Any]:
    """Return *array*, which is NCHW, in *layout*."""
    return array if layout is Layout.NCHW else array.transpose(0, 2, 3, 1)


def spec_of(shape: tuple[int, ...], layout: Layout, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(name="image", dtype=dtype, shape=("batch", *shape[1:]), layout=layout)


@hypothesis.given(
    stored=LAYOUTS,
    wanted=LAYOUTS,
    channels=st.integers(1, 4),
    per_channel=st.booleans(),
    seed=st.integers(0, 1 << 16),
)
def test_arithmetic_is_by_channel_in_every_order(
    stored: Layout, wanted: Layout, channels: int, per_channel: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    image = random.integers(0, 256, (2, channels, 3, 5), dtype=np.uint8)
    count = channels if per_channel else 1
    mean, std = random.random(count), random.random(count) + 0.5
    feeding = Feeding(layout=stored, divide=255.0, mean=tuple(mean), std=tuple(std))
    source = ordered(image, stored)
    spec = spec_of(ordered(image, wanted).shape, wanted)
    fed = plan_feeding(spec, source.shape, feeding, "here").feed(source)
    column = (1, count, 1, 1)
    reference = image.astype(np.float32) / np.float32(255)
    reference -= mean.astype(np.float32).reshape(column)
    reference /= std.astype(np.float32).reshape(column)
    np.testing.assert_array_equal(fed, ordered(reference, wanted))
    assert fed.dtype == np.float32


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_samples_get_the_type_of_the_input(dtype: str) -> None:
    samples = np.arange(6, dtype=np.uint8).reshape(2, 3)
    plan = plan_feeding(spec_of((2, 3), Layout.NONE, dtype), (2, 3), Feeding(divide=2.0), "here")
    assert plan.feed(samples).dtype == dtype
    np.testing.assert_array_equal(plan.feed(samples), samples / 2)


def test_features_have_their_own_mean() -> None:
    feeding = Feeding(mean=(1.0, 2.0, 3.0))
    plan = plan_feeding(spec_of((2, 3), Layout.NONE), (2, 3), feeding, "here")
    np.testing.assert_array_equal(plan.feed(np.float32([[1, 2, 3]])), [[0, 0, 0]])


def test_stored_samples_are_not_changed() -> None:
    samples = np.ones((2, 3), np.float32)
    samples.flags.writeable = False
    plan = plan_feeding(spec_of((2, 3), Layout.NONE), (2, 3), Feeding(divide=2.0), "here")
    plan.feed(samples)


@pytest.mark.parametrize("shape", [(), (2,), (2, 3, 4), (2, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(EdgecError) as caught:
        plan_feeding(spec_of((2, 3), Layout.NONE), shape, Feeding(), "here")
    assert caught.value.code is Code.DATA_SHAPE
    assert caught.value.where == "here"


def test_dimensions_that_the_model_leaves_open_fit_anything() -> None:
    spec = TensorSpec(name="ids", dtype="int64", shape=("batch", "length"))
    for length in (1, 64):
        assert plan_feeding(spec, (2, length), Feeding(), "here").axes is None


HALF = QuantParams.per_tensor(IntegerType.INT8, 0.5, 10)


def integer_input() -> TensorSpec:
    return TensorSpec(name="x", dtype="int8", shape=("batch", 3), quantization=HALF)


def test_real_samples_are_quantized_as_an_integer_input_says() -> None:
    stored = np.array([[0.0, 1.0, -2.0], [0.26, 1000.0, -1000.0]], np.float32)
    fed = plan_feeding(integer_input(), stored.shape, Feeding(), "").feed(stored)
    assert fed.dtype == np.int8
    assert fed.tolist() == [[10, 12, 6], [11, 127, -128]]


def test_samples_of_another_integer_type_are_real_numbers_too() -> None:
    stored = np.array([[0, 1, 2]], np.uint8)
    fed = plan_feeding(integer_input(), stored.shape, Feeding(), "").feed(stored)
    assert fed.tolist() == [[10, 12, 14]]


def test_samples_in_the_very_type_of_an_integer_input_are_fed_as_they_are() -> None:
    stored = np.array([[0, 1, -2]], np.int8)
    plan = plan_feeding(integer_input(), stored.shape, Feeding(), "")
    assert plan.feed(stored).tolist() == stored.tolist()


def test_arithmetic_comes_before_quantization() -> None:
    stored = np.array([[0, 1, -2]], np.int8)
    plan = plan_feeding(integer_input(), stored.shape, Feeding(divide=2.0), "")
    assert plan.feed(stored).tolist() == [[10, 11, 8]]
