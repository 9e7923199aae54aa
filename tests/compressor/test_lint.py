import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.interface import TensorSpec
from compressor.lint import (
    FEW_SAMPLES,
    check_counts,
    check_dtype,
    check_finite,
    check_integer_range,
    constant_channels,
    few_samples,
)


def spec(dtype: str) -> TensorSpec:
    return TensorSpec(name="image", dtype=dtype, shape=("batch", 2))


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [("u1", "float32"), ("?", "float32"), ("f8", "float32"), ("i8", "int32"), ("?", "bool")],
)
def test_numbers_that_can_be_converted_pass(stored: str, wanted: str) -> None:
    check_dtype(np.dtype(stored), spec(wanted), "here")


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [("U1", "float32"), ("c8", "float32"), ("f4", "int64"), ("f2", "bool"), ("M8[s]", "int64")],
)
def test_types_that_lose_meaning_are_refused(stored: str, wanted: str) -> None:
    with pytest.raises(EdgecError) as caught:
        check_dtype(np.dtype(stored), spec(wanted), "here")
    assert caught.value.code is Code.DATA_DTYPE
    assert caught.value.where == "here"


@pytest.mark.parametrize(("low", "high", "dtype"), [(-1, 0, "uint8"), (0, 256, "uint8")])
def test_integer_range_has_both_ends(low: int, high: int, dtype: str) -> None:
    check_integer_range(np.array([0, 255]), spec(dtype), "here")
    with pytest.raises(EdgecError):
        check_integer_range(np.array([low, high]), spec(dtype), "here")


def test_finite_numbers_pass_up_to_the_largest_float32() -> None:
    check_finite(np.array([np.finfo(np.float32).max, -np.finfo(np.float32).max], "f8"), "here")
    check_finite(np.array(["text"]), "here")


def test_counts() -> None:
    check_counts(3, 3, "here")
    check_counts(3, None, "here")
    for samples, labels in ((0, None), (0, 0), (3, 4)):
        with pytest.raises(EdgecError) as caught:
            check_counts(samples, labels, "here")
        assert caught.value.code is Code.DATA_EMPTY


def test_few_samples_starts_below_the_bound() -> None:
    assert few_samples(FEW_SAMPLES, "here") == []
    assert "here" in few_samples(FEW_SAMPLES - 1, "here")[0].what


def test_constant_channels_are_counted_along_their_axis() -> None:
    array = np.random.default_rng(0).random((4, 8, 3))
    array[:, [1, 2, 3, 4, 5, 6], :] = 5
    (doubt,) = constant_channels(array, 1, "here")
    assert "6 of 8 channels never change (1, 2, 3, 4, 5, ...)" in doubt.what
    assert constant_channels(array, 2, "here") == []


def test_one_sample_or_one_axis_says_nothing_about_constancy() -> None:
    assert constant_channels(np.zeros((1, 3)), 1, "here") == []
    assert constant_channels(np.zeros(9), 0, "here") == []
