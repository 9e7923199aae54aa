from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from compressor.dataset import Dataset, Samples, open_dataset
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Dimension, Interface, Layout, TensorSpec

Array = npt.NDArray[Any]


def interface(*inputs: TensorSpec) -> Interface:
    return Interface(inputs=inputs, outputs=())


def image_input(
    *shape: Dimension, dtype: str = "float32", layout: Layout = Layout.NCHW
) -> TensorSpec:
    return TensorSpec(name="image", dtype=dtype, shape=shape, layout=layout)


CHW = interface(image_input("batch", 3, 4, 5))
PAIR = interface(
    TensorSpec(name="ids", dtype="int64", shape=("batch", 6)),
    TensorSpec(name="mask", dtype="float32", shape=("batch", 6)),
)


def images(count: int, *shape: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def dataset(folder: Path, toml: str = "", **arrays: Array) -> Dataset:
    np.savez(folder / "data.npz", **arrays)
    (folder / "data.toml").write_text(f'path = "data.npz"\n{toml}')
    return open_dataset(folder / "data.toml")


def joined(samples: Samples) -> Array:
    return np.concatenate([batch["image"] for batch in samples])


def failure(data: Dataset, model: Interface = CHW, limit: int = 100) -> EdgecError:
    with pytest.raises(EdgecError) as caught:
        data.evaluation(model, limit)
    return caught.value


def test_batches_are_preprocessed_as_described(tmp_path: Path) -> None:
    stored = images(40, 4, 5, 3)
    mean, std = np.float32([0.1, 0.2, 0.3]), np.float32([0.5, 0.6, 0.7])
    toml = f'layout = "NHWC"\ndivide = 255\nmean = {mean.tolist()}\nstd = {std.tolist()}'
    samples = dataset(tmp_path, toml, x=stored).evaluation(CHW, 33, batch=16)
    batches = [batch["image"] for batch in samples]
    assert [len(batch) for batch in batches] == [16, 16, 1]
    assert all(batch.dtype == np.float32 and batch.flags.c_contiguous for batch in batches)
    wanted = (stored[:33].astype(np.float32) / np.float32(255) - mean) / std
    np.testing.assert_array_equal(np.concatenate(batches), wanted.transpose(0, 3, 1, 2))


def test_samples_can_be_iterated_again(tmp_path: Path) -> None:
    samples = dataset(tmp_path, x=images(5, 3, 4, 5)).evaluation(CHW, 5)
    np.testing.assert_array_equal(joined(samples), joined(samples))


@pytest.mark.parametrize(
    ("stored", "model", "axes"),
    [
        ("NHWC", Layout.NCHW, (0, 3, 1, 2)),
        ("NCHW", Layout.NHWC, (0, 2, 3, 1)),
        ("NCHW", Layout.NCHW, (0, 1, 2, 3)),
        ("NHWC", Layout.NHWC, (0, 1, 2, 3)),
    ],
)
def test_stated_layout_is_brought_to_the_models(
    tmp_path: Path, stored: str, model: Layout, axes: tuple[int, ...]
) -> None:
    values = images(3, 4, 4, 4)
    spec = image_input("batch", 4, 4, 4, layout=model)
    samples = dataset(tmp_path, f'layout = "{stored}"', x=values).evaluation(interface(spec), 3)
    np.testing.assert_array_equal(joined(samples), values.transpose(axes))


def test_layout_of_a_model_that_does_not_say_is_found_by_what_fits(tmp_path: Path) -> None:
    spec = image_input("batch", 1, 28, 28, layout=Layout.NONE)
    values = images(2, 28, 28, 1)
    samples = dataset(tmp_path, 'layout = "NHWC"', x=values).evaluation(interface(spec), 2)
    np.testing.assert_array_equal(joined(samples), values.transpose(0, 3, 1, 2))


def test_unstated_layout_that_would_fit_is_named(tmp_path: Path) -> None:
    error = failure(dataset(tmp_path, x=images(2, 4, 5, 3)))
    assert error.code is Code.DATA_SHAPE
    assert 'layout = "NHWC"' in error.hint
    assert "[4, 5, 3]" in error.what
    assert "float32[batch, 3, 4, 5]" in error.expected


def test_wrongly_stated_layout_names_the_right_one(tmp_path: Path) -> None:
    error = failure(dataset(tmp_path, 'layout = "NCHW"', x=images(2, 4, 5, 3)))
    assert 'layout = "NHWC"' in error.hint


def test_missing_channel_axis_is_named(tmp_path: Path) -> None:
    model = interface(image_input("batch", 1, 28, 28))
    error = failure(dataset(tmp_path, x=images(7, 28, 28)), model)
    assert "x.reshape(7, 1, 28, 28)" in error.hint


def test_shape_that_nothing_helps_is_refused_without_a_guess(tmp_path: Path) -> None:
    error = failure(dataset(tmp_path, x=images(2, 9, 9, 9)))
    assert (error.code, error.hint) == (Code.DATA_SHAPE, "")


def test_mean_of_another_length_than_the_channels_is_refused(tmp_path: Path) -> None:
    error = failure(dataset(tmp_path, "mean = [1, 2]", x=images(2, 3, 4, 5)))
    assert error.code is Code.DATA_SHAPE
    assert "'mean' has 2 values" in error.what


def test_fixed_batch_leaves_out_what_does_not_fill_it(tmp_path: Path) -> None:
    model = interface(image_input(4, 3, 4, 5))
    data = dataset(tmp_path, x=images(11, 3, 4, 5), y=np.arange(11))
    samples = data.evaluation(model, 100)
    assert [len(batch["image"]) for batch in samples] == [4, 4]
    np.testing.assert_array_equal(data.labels(samples), np.arange(8))
    assert failure(data, model, limit=3).code is Code.DATA_EMPTY


def test_calibration_uses_its_own_array(tmp_path: Path) -> None:
    data = dataset(tmp_path, x=images(50, 3, 4, 5), x_calib=images(40, 3, 4, 5, seed=1))
    np.testing.assert_array_equal(joined(data.calibration(CHW, 100)), images(40, 3, 4, 5, seed=1))
    assert data.notes(CHW) == ()


def test_calibration_on_evaluation_samples_says_so(tmp_path: Path) -> None:
    data = dataset(tmp_path, x=images(50, 3, 4, 5))
    assert len(data.calibration(CHW, 40)) == 40
    (note,) = data.notes(CHW)
    assert "no 'x_calib'" in note


def test_few_calibration_samples_are_doubted(tmp_path: Path) -> None:
    data = dataset(tmp_path, x=images(50, 3, 4, 5))
    assert data.calibration(CHW, 32).findings == ()
    (doubt,) = data.calibration(CHW, 31).findings
    assert "31 samples are few" in str(doubt)
    assert data.evaluation(CHW, 31).findings == ()


def test_several_inputs_are_named_arrays(tmp_path: Path) -> None:
    ids = np.arange(60).reshape(10, 6)
    mask = np.random.default_rng(0).random((10, 6))
    data = dataset(tmp_path, ids=ids, mask=mask, ids_calib=ids[:4], mask_calib=mask[:4])
    (batch,) = data.evaluation(PAIR, 10)
    assert {name: array.dtype.name for name, array in batch.items()} == {
        "ids": "int64",
        "mask": "float32",
    }
    np.testing.assert_array_equal(batch["ids"], ids)
    np.testing.assert_array_equal(batch["mask"], mask.astype(np.float32))
    assert len(data.calibration(PAIR, 10)) == 4


def test_calibration_samples_for_one_of_two_inputs_are_refused(tmp_path: Path) -> None:
    ids, mask = np.zeros((4, 6), np.int64), np.zeros((4, 6))
    data = dataset(tmp_path, ids=ids, mask=mask, ids_calib=ids)
    with pytest.raises(EdgecError, match="mask_calib") as caught:
        data.calibration(PAIR, 4)
    assert caught.value.code is Code.DATA_MISSING_ARRAY


def test_preprocessing_leaves_integer_inputs_alone(tmp_path: Path) -> None:
    ids, mask = np.arange(24).reshape(4, 6), np.ones((4, 6))
    data = dataset(tmp_path, "divide = 2", ids=ids, mask=mask)
    (batch,) = data.evaluation(PAIR, 4)
    np.testing.assert_array_equal(batch["ids"], ids)
    np.testing.assert_array_equal(batch["mask"], mask / 2)


def test_missing_array_names_what_is_there(tmp_path: Path) -> None:
    error = failure(dataset(tmp_path, images=images(2, 3, 4, 5)))
    assert error.code is Code.DATA_MISSING_ARRAY
    assert "'image'" in error.what
    assert "images" in error.hint


def test_single_input_may_go_by_its_own_name(tmp_path: Path) -> None:
    assert len(dataset(tmp_path, image=images(2, 3, 4, 5)).evaluation(CHW, 2)) == 2


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": images(0, 3, 4, 5)}, "no samples"),
        ({"x": images(3, 3, 4, 5), "y": np.arange(2)}, "3 samples but 2 labels"),
        ({"x": np.float32(3)}, "no samples"),
    ],
)
def test_empty_or_uneven_data_is_refused(
    tmp_path: Path, arrays: dict[str, Array], said: str
) -> None:
    error = failure(dataset(tmp_path, **arrays))
    assert error.code is Code.DATA_EMPTY
    assert said in error.what


def test_inputs_of_different_length_are_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path, ids=np.zeros((4, 6), np.int64), mask=np.zeros((3, 6)))
    assert failure(data, PAIR).code is Code.DATA_EMPTY


@pytest.mark.parametrize("dtype", ["U3", "S3", "complex64", "datetime64[s]", "i4,f4"])
def test_samples_that_are_not_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    assert failure(dataset(tmp_path, x=np.zeros((2, 3, 4, 5), dtype))).code is Code.DATA_DTYPE


def test_fractions_for_an_integer_input_are_refused(tmp_path: Path) -> None:
    data = dataset(tmp_path, ids=np.zeros((2, 6)), mask=np.zeros((2, 6)))
    assert failure(data, PAIR).code is Code.DATA_DTYPE


def test_integers_beyond_the_inputs_type_are_refused(tmp_path: Path) -> None:
    model = interface(image_input("batch", 3, 4, 5, dtype="int8"))
    error = failure(dataset(tmp_path, x=images(2, 3, 4, 5)), model)
    assert error.code is Code.DATA_DTYPE
    assert "-128..127" in error.expected


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_first_value_that_is_not_finite_is_named(tmp_path: Path, value: float) -> None:
    x = np.zeros((3, 3, 4, 5))
    x[2, 1, 0, 3] = x[2, 2, 0, 0] = value
    error = failure(dataset(tmp_path, x=x))
    assert error.code is Code.DATA_NOT_FINITE
    assert "[2, 1, 0, 3]" in error.what
    assert "'x'" in error.where


def test_value_beyond_the_limit_is_not_looked_at(tmp_path: Path) -> None:
    x = np.zeros((3, 3, 4, 5))
    x[2] = np.nan
    assert len(dataset(tmp_path, x=x).evaluation(CHW, 2)) == 2


def test_constant_channels_are_doubted(tmp_path: Path) -> None:
    x = images(4, 3, 4, 5)
    x[:, 1] = 7
    (doubt,) = dataset(tmp_path, x=x).evaluation(CHW, 4).findings
    assert "1 of 3 channels never change (1)" in doubt.what


def test_labels_follow_the_samples(tmp_path: Path) -> None:
    data = dataset(tmp_path, x=images(5, 3, 4, 5), y=np.arange(5).reshape(5, 1))
    np.testing.assert_array_equal(data.labels(data.evaluation(CHW, 3)), [0, 1, 2])


def test_missing_labels_are_an_error_only_when_asked_for(tmp_path: Path) -> None:
    data = dataset(tmp_path, x=images(5, 3, 4, 5))
    samples = data.evaluation(CHW, 3)
    assert not data.has_labels
    with pytest.raises(EdgecError) as caught:
        data.labels(samples)
    assert caught.value.code is Code.DATA_LABELS


def test_digest_covers_what_was_read_and_how_it_is_fed(tmp_path: Path) -> None:
    def digest(limit: int, toml: str = "", seed: int = 0) -> str:
        data = dataset(tmp_path, toml, x=images(9, 3, 4, 5, seed=seed))
        data.evaluation(CHW, limit)
        return data.digest()

    digests = [digest(5), digest(6), digest(5, "divide = 2"), digest(5, seed=1)]
    assert len(set(digests)) == len(digests)
    assert digest(5) == digests[0]
    assert digest(5, 'metric = "top1"') == digests[0]


def test_reading_more_later_gives_the_same_samples(tmp_path: Path) -> None:
    data = dataset(tmp_path, x=images(9, 3, 4, 5))
    few = joined(data.evaluation(CHW, 3))
    np.testing.assert_array_equal(joined(data.evaluation(CHW, 9))[:3], few)
    np.testing.assert_array_equal(joined(data.evaluation(CHW, 3)), few)


def test_samples_set_aside_for_calibration_are_taken_evenly(tmp_path: Path) -> None:
    """Data is often sorted: by class, by length, by day."""
    stored = np.arange(40, dtype=np.float32).repeat(60).reshape(40, 3, 4, 5)
    data = dataset(tmp_path, x=stored, x_calib=stored)
    taken = joined(data.calibration(CHW, 4))[:, 0, 0, 0]
    np.testing.assert_array_equal(taken, [0, 13, 26, 39])
    np.testing.assert_array_equal(joined(data.evaluation(CHW, 4))[:, 0, 0, 0], [0, 1, 2, 3])


def test_without_samples_set_aside_the_first_ones_calibrate(tmp_path: Path) -> None:
    stored = np.arange(40, dtype=np.float32).repeat(60).reshape(40, 3, 4, 5)
    taken = joined(dataset(tmp_path, x=stored).calibration(CHW, 4))[:, 0, 0, 0]
    np.testing.assert_array_equal(taken, [0, 1, 2, 3])
