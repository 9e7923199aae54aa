import math
from collections.abc import Sequence

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis.extra import numpy as arrays

from compressor.calibration.histogram import BINS, HistogramObserver
from compressor.calibration.table import Histogram, TensorStatistics

LARGEST = float(np.finfo(np.float32).max)
ORDINARY = st.integers(-(10**6), 10**6)
ANY = st.floats(-LARGEST, LARGEST, width=32)


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def observe(batches: Sequence[np.ndarray]) -> TensorStatistics:
    observer = HistogramObserver()
    for batch in batches:
        observer.update(batch)
    return observer.result()


def histogram_of(statistics: TensorStatistics) -> Histogram:
    assert statistics.histogram is not None
    return statistics.histogram


def counted_directly(histogram: Histogram, values: np.ndarray) -> list[int]:
    """Count *values* in half-open bins, as ``numpy.histogram`` does but for the last edge."""
    edges = histogram.low + np.arange(len(histogram.counts) + 1) * histogram.width
    edges[-1] = np.inf
    return np.histogram(values.astype(np.float64), edges)[0].tolist()


@st.composite
def streams(draw: st.DrawFn) -> list[np.ndarray]:
    """Batches of ordinary values on scales far apart, in any order."""
    sizes = draw(st.lists(st.integers(1, 30), min_size=1, max_size=5))
    batches = []
    for size in sizes:
        scale = np.float32(2.0 ** draw(st.integers(-40, 40)))
        values = draw(st.lists(ORDINARY, min_size=size, max_size=size))
        batches.append(floats(*values) * scale)
    return batches


@given(streams())
@example([floats(0.99999994, -0.99)])
@example([floats(-1e-8), floats(4.0, -4.0)])
@example([floats(0), floats(1e-30), floats(1e30)])
@example([floats(255) for _ in range(3)])
@example([floats(1e-45, -1e-45)])
@example([floats(-LARGEST, LARGEST)])
@example([floats(1), floats(-1), floats(1 - 2**-24, -1 + 2**-24)])
def test_counts_are_those_of_the_final_bins_from_the_start(batches: list[np.ndarray]) -> None:
    statistics = observe(batches)
    everything = np.concatenate(batches)
    histogram = histogram_of(statistics)
    assert histogram.counts.tolist() == counted_directly(histogram, everything)
    assert (statistics.low, statistics.high) == (everything.min(), everything.max())


@given(streams())
def test_order_of_batches_does_not_matter(batches: list[np.ndarray]) -> None:
    """The bins depend on the order, never the counts of what falls between two of their edges."""
    forward, backward = (histogram_of(observe(b)) for b in (batches, batches[::-1]))
    width = max(forward.width, backward.width)
    assert regrouped(forward, width) == regrouped(backward, width)


def regrouped(histogram: Histogram, width: float) -> dict[int, int]:
    """Return the counts by index of coarser bins of *width*, a power of two."""
    groups: dict[int, int] = {}
    for index, count in enumerate(histogram.counts.tolist()):
        edge = histogram.low + index * histogram.width
        coarse = math.floor(edge / width)
        groups[coarse] = groups.get(coarse, 0) + count
    return {index: count for index, count in groups.items() if count}


@given(st.lists(arrays.arrays(np.float32, 20, elements=ANY), min_size=1, max_size=6))
def test_memory_and_total(batches: list[np.ndarray]) -> None:
    """Values of any size, also across all of float32: nothing is lost, the bins stay bounded."""
    histogram = histogram_of(observe(batches))
    assert histogram.counts.sum() == 20 * len(batches)
    assert len(histogram.counts) <= 2 * BINS
    assert histogram.low <= min(float(batch.min()) for batch in batches)
    assert histogram.high >= max(float(batch.max()) for batch in batches)


def test_memory_is_constant_over_a_long_stream() -> None:
    random = np.random.default_rng(0)
    observer = HistogramObserver()
    for step in range(200):
        observer.update(random.standard_normal(1000).astype(np.float32) * np.float32(1.1**step))
    assert len(histogram_of(observer.result()).counts) <= 2 * BINS


@given(st.floats(2.0**-100, 2.0**100, width=32))
def test_resolution(largest: float) -> None:
    """At least BINS / 2 bins lie between zero and the first batch's largest value."""
    histogram = histogram_of(observe([floats(largest, 0)]))
    assert largest / histogram.width >= BINS / 2


def test_zeros_at_first_cost_no_resolution() -> None:
    """A layer that is dead on the first batch may be tiny, not only large, on the next."""
    histogram = histogram_of(observe([np.zeros(5, np.float32), floats(1e-20, 3e-20)]))
    assert np.count_nonzero(histogram.counts) == 3


def test_edges_are_counted_once() -> None:
    """A value on an edge belongs to the bin above it, on both sides of zero."""
    histogram = histogram_of(observe([floats(-1, -0.5, 0, 0.5, 1)]))
    filled = np.flatnonzero(histogram.counts)
    assert (histogram.low + filled * histogram.width).tolist() == [-1, -0.5, 0, 0.5, 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("position", [0, 1])
def test_values_that_are_not_finite_mark_the_extremes(bad: float, position: int) -> None:
    batches = [floats(1, 2)]
    batches.insert(position, floats(0, bad))
    statistics = observe(batches)
    assert not (math.isfinite(statistics.low) and math.isfinite(statistics.high))


def test_empty_batches_do_not_count() -> None:
    assert histogram_of(observe([np.zeros((0, 3), np.float32), floats(1)])).counts.sum() == 1


def test_shape_does_not_matter() -> None:
    values = np.random.default_rng(0).standard_normal((4, 3, 5)).astype(np.float32)
    flat, shaped = (histogram_of(observe([v])) for v in (values.ravel(), values.transpose(2, 0, 1)))
    np.testing.assert_array_equal(flat.counts, shaped.counts)


def test_result_is_a_snapshot() -> None:
    observer = HistogramObserver()
    observer.update(floats(1))
    before = histogram_of(observer.result())
    observer.update(floats(1))
    assert before.counts.sum() == 1
