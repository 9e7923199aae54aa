"""Interleaved timing: every round runs each of several models once, in a new random order.

Load, heat and frequency change over seconds. Models timed one after the other meet different
machines; models timed in the same round meet the same one, so their ratio is sound even where the
times themselves drift.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from time import perf_counter_ns, sleep

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]

SHORTEST_SAMPLE_NS = 200_000
"""A sample lasts at least this long: some 1,000 times the clock's own cost."""

_STEADY_RUNS = 3
_STEADY_GAIN = 0.02


class InterleavedTimer:
    """Times *calls* against each other; ``warm_up`` comes before ``rounds``.

    Attributes:
        repeats: how often each call runs within one sample, so that it exceeds the clock's noise.
    """

    def __init__(
        self, calls: Sequence[Callable[[], object]], seed: int, *, pause_s: float = 0.0
    ) -> None:
        """Take *calls*; with *pause_s* the processor rests before each sample, which is one run."""
        self._calls = tuple(calls)
        self._pause_s = pause_s
        self._random = np.random.default_rng(seed)
        self.repeats = (1,) * len(self._calls)

    def warm_up(self, limit_s: float) -> int:
        """Run each call until its time no longer falls; return the nanoseconds of one round.

        Caches, lazily packed weights and the processor's clock settle during the first runs.
        *limit_s* bounds each call, though each runs once at least.
        """
        best = [_steady_time(call, int(limit_s * 1e9)) for call in self._calls]
        if not self._pause_s:
            self.repeats = tuple(math.ceil(SHORTEST_SAMPLE_NS / max(1, ns)) for ns in best)
        resting = int(self._pause_s * 1e9) * len(best)
        return sum(ns * n for ns, n in zip(best, self.repeats, strict=True)) + resting

    def rounds(self, count: int) -> Times:
        """Return the nanoseconds of each sample (``repeats`` runs), shape [count, calls]."""
        elapsed = np.empty((count, len(self._calls)), np.int64)
        collecting = gc.isenabled()
        gc.disable()  # a collection would land in somebody's sample
        try:
            for row in elapsed:
                for index in self._random.permutation(len(self._calls)):
                    if self._pause_s:
                        sleep(self._pause_s)
                    row[index] = _sample(self._calls[index], self.repeats[index])
        finally:
            if collecting:
                gc.enable()
        return elapsed


def _sample(call: Callable[[], object], repeats: int) -> int:
    start = perf_counter_ns()
    for _ in range(repeats):
        call()
    return perf_counter_ns() - start


def _steady_time(call: Callable[[], object], limit_ns: int) -> int:
    """Run until several runs in a row bring no new best time; return the best."""
    best, without_gain, deadline = _sample(call, 1), 0, perf_counter_ns() + limit_ns
    while without_gain < _STEADY_RUNS and perf_counter_ns() < deadline:
        elapsed = _sample(call, 1)
        without_gain = 0 if elapsed < best * (1 - _STEADY_GAIN) else without_gain + 1
        best = min(best, elapsed)
    return best
