"""Latency of models against each other: interleaved rounds in one child, until they are precise.

What is timed is one inference on inputs already in place: ONNX Runtime's run over bound inputs,
LiteRT's ``invoke``. Copying samples in and out, and Python, are not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from bench.records import Latency, LatencyRatio
from bench.statistics import Values, median_interval, ratio_interval, verdict
from runtimes.interleave import Times
from runtimes.isolate import RemoteSession, RemoteTimer, Worker
from runtimes.protocol import Feeds

_STEPS = 12
_WARMUP_SHARE = 0.1
_NS = 1e9


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A model to time: a session of the worker, what to feed it, and what to call it."""

    label: str
    session: RemoteSession
    feeds: Feeds


@dataclass(frozen=True, kw_only=True)
class LatencyOptions:
    """When to stop timing.

    Attributes:
        budget_s: seconds for warm-up and rounds together; a round that has begun is finished.
        precision: enough, as the relative width of the ratio's 95 % interval.
        min_rounds: rounds before precision is believed; fewer only when the budget ends.
        max_rounds: bound on the raw times that are kept.
        pause_s: rest before each sample, for devices that seldom infer.
        seed: for the order within rounds and the bootstrap.
    """

    budget_s: float = 2.0
    precision: float = 0.02
    min_rounds: int = 30
    max_rounds: int = 1000
    pause_s: float = 0.0
    seed: int = 0


def time_models(
    worker: Worker, entries: Sequence[Entry], options: LatencyOptions
) -> tuple[Latency, ...]:
    """Time *entries*, the baseline first, in the same rounds of one child; in the given order.

    Raises:
        EdgecError: ``RUNTIME_REFUSED`` when feeds do not fit, ``RUNTIME_CRASHED``.
    """
    deadline = perf_counter() + options.budget_s
    timer = worker.time_interleaved(
        [(entry.session, entry.feeds) for entry in entries],
        seed=options.seed,
        warmup_s=_WARMUP_SHARE * options.budget_s / len(entries),
        pause_s=options.pause_s,
    )
    elapsed = _rounds(timer, deadline, options)
    return tuple(
        _latency(entry, repeats, column)
        for entry, repeats, column in zip(entries, timer.repeats, elapsed.T, strict=True)
    )


def compare(baseline: Latency, artifact: Latency, seed: int = 0) -> LatencyRatio:
    """Return the ratio of two latencies of the same rounds."""
    below, above = _per_run(baseline), _per_run(artifact)
    ratio = ratio_interval(above, below, seed)
    return LatencyRatio(
        baseline=baseline.label,
        ratio=ratio,
        verdict=verdict(ratio, above / below),
        rounds=len(above),
    )


def _rounds(timer: RemoteTimer, deadline: float, options: LatencyOptions) -> Times:
    """Collect rounds in steps until they are precise enough, too many, or time is up."""
    step_s = options.budget_s / _STEPS
    elapsed = timer.rounds(_fitting(timer, min(step_s, deadline - perf_counter()), options))
    while len(elapsed) < options.max_rounds and not _precise(elapsed, options):
        left = deadline - perf_counter()
        if left < timer.round_ns / _NS:
            break
        count = min(_fitting(timer, min(step_s, left), options), options.max_rounds - len(elapsed))
        elapsed = np.concatenate([elapsed, timer.rounds(count)])
    return elapsed


def _fitting(timer: RemoteTimer, seconds: float, options: LatencyOptions) -> int:
    """Rounds that take about *seconds*: one at least, *min_rounds* at most."""
    return max(1, min(options.min_rounds, int(seconds * _NS / timer.round_ns)))


def _precise(elapsed: Times, options: LatencyOptions) -> bool:
    """Whether each model's ratio to the first (its own time when alone) is known well enough."""
    if len(elapsed) < options.min_rounds:
        return False
    paired = elapsed[:, 1:] / elapsed[:, :1] if elapsed.shape[1] > 1 else elapsed.astype(float)
    return all(median_interval(v).relative_width <= options.precision for v in paired.T)


def _latency(entry: Entry, repeats: int, elapsed: Times) -> Latency:
    session = entry.session
    return latency_of(
        elapsed,
        repeats,
        label=entry.label,
        runtime=session.runtime,
        threads=session.options.threads,
    )


def latency_of(elapsed: Times, repeats: int, *, label: str, runtime: str, threads: int) -> Latency:
    """Return the record of samples *elapsed* [rounds], nanoseconds of *repeats* runs each."""
    values = elapsed / repeats
    median = median_interval(values)
    return Latency(
        label=label,
        runtime=runtime,
        threads=threads,
        median_ns=median,
        verdict=verdict(median, values),
        repeats=repeats,
        elapsed_ns=tuple(elapsed.tolist()),
    )


def _per_run(latency: Latency) -> Values:
    return np.asarray(latency.elapsed_ns, np.float64) / latency.repeats
