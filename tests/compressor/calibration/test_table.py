import numpy as np
import pytest

from compressor.calibration.table import CalibrationTable, Histogram, TensorStatistics
from compressor.errors import Code, EdgecError

TABLE = CalibrationTable(
    fingerprint="abc", samples=3, tensors={"a": TensorStatistics(low=-1.0, high=2.0)}
)


def test_known_tensor() -> None:
    assert TABLE.of("a").high == 2.0


def test_unknown_tensor_is_a_mismatch() -> None:
    with pytest.raises(EdgecError) as caught:
        TABLE.of("b")
    assert caught.value.code is Code.CALIBRATION_MISMATCH
    assert "'b'" in caught.value.what


def test_other_graph_is_a_mismatch() -> None:
    TABLE.require("abc")
    with pytest.raises(EdgecError) as caught:
        TABLE.require("abd")
    assert caught.value.code is Code.CALIBRATION_MISMATCH
    assert "abc" in caught.value.what
    assert "abd" in caught.value.what


def test_bin_centers() -> None:
    histogram = Histogram(low=-1.0, high=3.0, counts=np.array([1, 0, 2, 5]))
    assert histogram.width == 1.0
    assert histogram.centers().tolist() == [-0.5, 0.5, 1.5, 2.5]
