from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from time import perf_counter_ns

import numpy as np

from runtimes.interleave import SHORTEST_SAMPLE_NS, InterleavedTimer


def _busy(nanoseconds: int, log: list[int], name: int) -> Callable[[], None]:
    def call() -> None:
        log.append(name)
        end = perf_counter_ns() + nanoseconds
        while perf_counter_ns() < end:
            pass

    return call


def _timer(log: list[int], seed: int = 0, nanoseconds: int = 1000) -> InterleavedTimer:
    return InterleavedTimer([_busy(nanoseconds, log, name) for name in range(3)], seed)


def test_each_round_runs_each_model_once() -> None:
    log: list[int] = []
    elapsed = _timer(log).rounds(20)
    assert elapsed.shape == (20, 3)
    assert all(sorted(log[i : i + 3]) == [0, 1, 2] for i in range(0, 60, 3))


def test_order_changes_between_rounds_and_repeats_with_the_seed() -> None:
    logs: list[list[int]] = [[], [], []]
    for log, seed in zip(logs, (0, 0, 1), strict=True):
        _timer(log, seed).rounds(20)
    assert logs[0] == logs[1] != logs[2]
    firsts = Counter(logs[0][::3])
    assert set(firsts) == {0, 1, 2}


def test_samples_measure_what_was_run() -> None:
    log: list[int] = []
    calls = [_busy(ns, log, 0) for ns in (300_000, 900_000)]
    elapsed = InterleavedTimer(calls, 0).rounds(5)
    assert elapsed.dtype == np.int64
    assert (elapsed.min(axis=0) >= [300_000, 900_000]).all()


def test_quick_models_run_several_times_a_sample() -> None:
    log: list[int] = []
    timer = InterleavedTimer([_busy(20_000, log, 0), _busy(1_000_000, log, 1)], 0)
    round_ns = timer.warm_up(1.0)
    quick, slow = timer.repeats
    assert slow == 1
    assert 1 < quick <= SHORTEST_SAMPLE_NS // 20_000
    assert round_ns >= 1_000_000 + quick * 20_000
    log.clear()
    timer.rounds(4)
    assert Counter(log) == {0: 4 * quick, 1: 4}


def test_warm_up_goes_on_while_times_fall() -> None:
    waits = iter([8_000_000, 4_000_000, 2_000_000, 1_000_000])
    runs = []

    def improving() -> None:
        runs.append(1)
        _busy(next(waits, 500_000), [], 0)()

    timer = InterleavedTimer([improving], 0)
    assert timer.warm_up(10.0) < 1_000_000
    assert len(runs) >= 5 + 3


def test_warm_up_is_bounded_but_runs_once() -> None:
    log: list[int] = []
    _timer(log).warm_up(0.0)
    assert log == [0, 1, 2]


def test_no_garbage_collection_amid_samples() -> None:
    states: list[bool] = []
    InterleavedTimer([lambda: states.append(gc.isenabled())], 0).rounds(2)
    assert states == [False, False]
    assert gc.isenabled()
