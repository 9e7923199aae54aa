import pytest

from compressor.calibration.table import TensorStatistics
from compressor.quantizers import minmax


@pytest.mark.parametrize(("low", "high"), [(-1.5, 2.0), (0.0, 0.0), (3.0, 4.0)])
def test_everything_seen(low: float, high: float) -> None:
    assert minmax.choose_range(TensorStatistics(low=low, high=high)) == (low, high)
    assert not minmax.NEEDS_HISTOGRAM
