import numpy as np
import pytest

from compressor.calibration.histogram import HistogramObserver
from compressor.calibration.table import TensorStatistics
from compressor.quantizers import percentile

TAIL = (1 - percentile.KEPT) / 2


def statistics_of(values: np.ndarray) -> TensorStatistics:
    observer = HistogramObserver()
    observer.update(values.astype(np.float32))
    return observer.result()


def width_of(statistics: TensorStatistics) -> float:
    assert statistics.histogram is not None
    return statistics.histogram.width


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_quantiles_up_to_a_bin_and_a_sample(seed: int) -> None:
    values = np.random.default_rng(seed).standard_normal(200_000).astype(np.float32)
    statistics = statistics_of(values)
    low, high = percentile.choose_range(statistics)
    ordered = np.sort(values)
    left_out = round(TAIL * len(values))
    width = width_of(statistics)
    assert ordered[left_out - 1] - width <= low <= ordered[left_out + 1] + width
    assert ordered[-2 - left_out] - width <= high <= ordered[-left_out] + width


@pytest.mark.parametrize("seed", range(4))
def test_at_most_the_tails_lie_outside(seed: int) -> None:
    values = np.random.default_rng(seed).standard_t(2, 100_000).astype(np.float32)
    low, high = percentile.choose_range(statistics_of(values))
    assert np.count_nonzero(values < low) <= round(TAIL * len(values))
    assert np.count_nonzero(values > high) <= round(TAIL * len(values))
    assert high < values.max()


def test_few_values_are_all_kept() -> None:
    values = np.linspace(-1, 2, 50)
    statistics = statistics_of(values)
    assert percentile.choose_range(statistics) == (statistics.low, statistics.high)


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0])
def test_constant(value: float) -> None:
    low, high = percentile.choose_range(statistics_of(np.full(10, value)))
    assert (low, high) == (value, value)


def test_needs_a_histogram() -> None:
    assert percentile.NEEDS_HISTOGRAM
    with pytest.raises(ValueError, match="histogram"):
        percentile.choose_range(TensorStatistics(low=0.0, high=1.0))
