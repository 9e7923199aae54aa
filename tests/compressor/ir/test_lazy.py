from pathlib import Path

import ml_dtypes
import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.lazy import LARGE_BYTES, derived, stored
from tests.graphs import gaussian


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_, ml_dtypes.bfloat16])
def test_stored_constant_is_read_from_its_place(tmp_path: Path, dtype: type) -> None:
    array = np.rint(gaussian(5, 7)).astype(dtype)
    (tmp_path / "data").write_bytes(b"before" + array.tobytes() + b"behind")
    kind = ir.DataType.from_numpy(array.dtype)
    tensor = stored(tmp_path / "data", len(b"before"), kind, array.shape, "w")
    assert (tensor.name, tensor.dtype, tensor.nbytes) == ("w", kind, array.nbytes)
    np.testing.assert_array_equal(tensor.numpy(), array)


def test_stored_constant_without_elements_needs_no_bytes(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    tensor = stored(tmp_path / "data", 0, ir.DataType.FLOAT, (0, 3), "w")
    assert tensor.numpy().shape == (0, 3)


def test_packed_types_are_not_taken(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="packed"):
        stored(tmp_path / "data", 0, ir.DataType.INT4, (2,), "w")


@pytest.mark.parametrize("size", [64, LARGE_BYTES // 4], ids=["small", "large"])
def test_derived_constant_is_what_was_computed(size: int) -> None:
    source = gaussian(2, size // 2)
    tensor = derived(
        ir.tensor(source), lambda array: array.T, dtype=ir.DataType.FLOAT, shape=(size // 2, 2)
    )
    np.testing.assert_array_equal(tensor.numpy(), source.T)
    assert tensor.numpy().flags.c_contiguous
    assert tensor.tobytes() == np.ascontiguousarray(source.T).tobytes()


@pytest.mark.parametrize(("size", "times"), [(64, 1), (LARGE_BYTES // 4, 2)])
def test_only_large_results_are_forgotten(size: int, times: int) -> None:
    calls = []

    def compute(array: np.ndarray) -> np.ndarray:
        calls.append(array.shape)
        return array

    tensor = derived(
        ir.tensor(np.zeros(size, np.float32)), compute, dtype=ir.DataType.FLOAT, shape=(size,)
    )
    for _ in range(2):
        tensor.numpy()
    assert len(calls) == times
