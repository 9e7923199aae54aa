import numpy as np
import pytest

from compressor.calibration.histogram import HistogramObserver
from compressor.calibration.table import Histogram, TensorStatistics
from compressor.ir.quant import IntegerType
from compressor.quantizers import mse
from compressor.quantizers.affine import params_of_range
from tests.tolerances import NOISE_MODEL, float64_sum

RANDOM = np.random.default_rng(5)
NORMAL = RANDOM.standard_normal(20_000)
SAMPLES = {
    "normal": NORMAL,
    "relu": np.maximum(NORMAL, 0),
    "laplace": RANDOM.laplace(size=20_000),
    "heavy": RANDOM.standard_t(3, 20_000),
    "uniform": RANDOM.uniform(-1, 3, 20_000),
    "outlier": np.append(NORMAL, 60.0),
    "negative": -np.abs(NORMAL) - 1,
}


def statistics_of(values: np.ndarray) -> TensorStatistics:
    observer = HistogramObserver()
    observer.update(values.astype(np.float32))
    return observer.result()


def histogram_of(statistics: TensorStatistics) -> Histogram:
    assert statistics.histogram is not None
    return statistics.histogram


def cost(histogram: Histogram, low: float, high: float) -> float:
    """Expected squared error times count, bin by bin: noise inside, distance outside."""
    total = 0.0
    noise = ((high - low) / 255) ** 2 / 12
    for center, count in zip(histogram.centers(), histogram.counts, strict=True):
        distance = low - center if center < low else max(center - high, 0.0)
        total += count * (distance**2 if distance else noise)
    return total


def measured_error(values: np.ndarray, low: float, high: float) -> float:
    params = params_of_range(low, high, IntegerType.INT8)
    return float(np.square(params.dequantize(params.quantize(values)) - values).mean())


@pytest.mark.parametrize("name", SAMPLES)
def test_no_other_clip_of_one_side_costs_less(name: str) -> None:
    """By brute force: with the other side as chosen, no fraction of the extreme is better."""
    statistics = statistics_of(SAMPLES[name])
    histogram = histogram_of(statistics)
    low, high = mse.choose_range(statistics)
    chosen = cost(histogram, low, high)
    slack = chosen * float64_sum(len(histogram.counts))
    outermost = min(statistics.low, 0.0), max(statistics.high, 0.0)
    for fraction in np.linspace(1.0, 0.4, 61):
        assert chosen <= cost(histogram, low, outermost[1] * fraction) + slack
        assert chosen <= cost(histogram, outermost[0] * fraction, high) + slack


@pytest.mark.parametrize("name", SAMPLES)
def test_real_error_is_no_larger_than_without_clipping(name: str) -> None:
    values = SAMPLES[name].astype(np.float32)
    statistics = statistics_of(values)
    low, high = mse.choose_range(statistics)
    assert statistics.low <= 0.0 or low == 0.0
    unclipped = measured_error(values, statistics.low, statistics.high)
    assert measured_error(values, low, high) <= unclipped * (1 + NOISE_MODEL)


def test_outlier_is_clipped_and_uniform_is_not() -> None:
    low, high = mse.choose_range(statistics_of(SAMPLES["outlier"]))
    assert high < 60
    assert low <= SAMPLES["outlier"].min() * 0.4
    uniform = statistics_of(SAMPLES["uniform"])
    step = (1.0 - 0.4) / 60
    low, high = mse.choose_range(uniform)
    assert low <= uniform.low * (1 - step)
    assert high >= uniform.high * (1 - step)


@pytest.mark.parametrize("value", [0.0, 3.0, -3.0, 1e-30])
def test_constant(value: float) -> None:
    low, high = mse.choose_range(statistics_of(np.full(10, value)))
    params = params_of_range(low, high, IntegerType.INT8)
    stored = np.float32(value)
    assert abs(float(params.dequantize(params.quantize(stored))) - stored) <= params.scale[0] / 2


def test_needs_a_histogram() -> None:
    assert mse.NEEDS_HISTOGRAM
    with pytest.raises(ValueError, match="histogram"):
        mse.choose_range(TensorStatistics(low=0.0, high=1.0))
