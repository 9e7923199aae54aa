from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from bench.latency import Entry, LatencyOptions, compare, time_models
from bench.records import Verdict
from compressor.errors import Code, EdgecError
from runtimes.isolate import Worker
from tests.tolerances import float64_sum

FEEDS = {"v0": np.full((64, 64), 1 / 64, np.float32)}
Products = Callable[[int], Path]


def _entries(worker: Worker, products: Products, *counts: int) -> list[Entry]:
    return [
        Entry(label=str(n), session=worker.open("ort", products(n)), feeds=FEEDS) for n in counts
    ]


def test_ratio_follows_the_work(worker: Worker, products: Products) -> None:
    """100 products against 10: well below the half, whatever else the machine does."""
    options = LatencyOptions(budget_s=0.5)
    slow, quick = time_models(worker, _entries(worker, products, 100, 10), options)
    assert (slow.label, quick.label, slow.runtime, slow.threads) == ("100", "10", "ort", 1)
    ratio = compare(slow, quick)
    assert ratio.baseline == "100"
    assert 0 < ratio.ratio.low <= ratio.ratio.value <= ratio.ratio.high < 0.5
    assert ratio.rounds == len(slow.elapsed_ns) == len(quick.elapsed_ns)


def test_raw_times_give_the_median(worker: Worker, products: Products) -> None:
    (latency,) = time_models(worker, _entries(worker, products, 1), LatencyOptions(budget_s=0.2))
    assert latency.repeats > 1  # a single product takes microseconds
    assert latency.median_ns.value == pytest.approx(
        np.median(latency.elapsed_ns) / latency.repeats, rel=float64_sum(2)
    )


@pytest.mark.parametrize("budget", [0.1, 0.4])
def test_budget_bounds_the_time(worker: Worker, products: Products, budget: float) -> None:
    entries = _entries(worker, products, 100, 100)
    options = LatencyOptions(budget_s=budget, precision=0.0, max_rounds=1_000_000)
    start = perf_counter()
    slow, _ = time_models(worker, entries, options)
    assert perf_counter() - start < 2 * budget + 1  # a busy machine may stall us in between
    assert slow.elapsed_ns


def test_stops_once_precise(worker: Worker, products: Products) -> None:
    options = LatencyOptions(budget_s=30, precision=1e9, min_rounds=5)
    start = perf_counter()
    slow, _ = time_models(worker, _entries(worker, products, 100, 100), options)
    assert perf_counter() - start < 10
    assert len(slow.elapsed_ns) == 5


def test_rounds_are_bounded(worker: Worker, products: Products) -> None:
    options = LatencyOptions(budget_s=20, precision=0.0, max_rounds=40, min_rounds=30)
    (latency,) = time_models(worker, _entries(worker, products, 1), options)
    assert len(latency.elapsed_ns) == 40


def test_no_budget_still_measures_once(worker: Worker, products: Products) -> None:
    (latency,) = time_models(worker, _entries(worker, products, 1), LatencyOptions(budget_s=0.0))
    assert len(latency.elapsed_ns) == 1


def test_models_of_both_kinds_of_noise_are_called(worker: Worker, products: Products) -> None:
    """The same file against itself: the interval holds 1, or the run is said to be noisy."""
    options = LatencyOptions(budget_s=1.0, precision=0.02)
    ratio = compare(*time_models(worker, _entries(worker, products, 20, 20), options))
    near = 0.95 < ratio.ratio.value < 1.05
    assert near or ratio.verdict is Verdict.NOISY


def test_wrong_feeds_are_refused(worker: Worker, products: Products) -> None:
    entry = Entry(label="x", session=worker.open("ort", products(1)), feeds={})
    with pytest.raises(EdgecError) as caught:
        time_models(worker, [entry], LatencyOptions(budget_s=0.1))
    assert caught.value.code is Code.RUNTIME_REFUSED
