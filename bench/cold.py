"""The first inference of a program: a fresh child loads a model and runs it once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter_ns

from bench.records import Cold, Memory
from runtimes.isolate import Worker
from runtimes.protocol import Feeds, SessionOptions

_NS_PER_MS = 1e6


def measure_cold(
    runtime: str,
    path: Path,
    feeds: Feeds,
    options: SessionOptions | None = None,
    *,
    cores: Sequence[int] = (),
) -> tuple[Cold, Memory]:
    """Return the times of a cold start, and the memory that it took.

    Loading is timed a second time, as a program does that has the runtime's library in memory.

    Raises:
        EdgecError: as ``Worker.open`` and ``RemoteSession.run``.
    """
    start = perf_counter_ns()
    with Worker() as worker:
        bare = worker.peak_bytes()
        if cores:
            worker.pin(cores)
        session = worker.open(runtime, path, options)
        first = session.first_ns(feeds)
        whole = perf_counter_ns() - start
        peak = worker.peak_bytes()
        session.close()
        load = worker.open(runtime, path, options).load_ns
    cold = Cold(
        process_ms=whole / _NS_PER_MS, load_ms=load / _NS_PER_MS, first_ms=first / _NS_PER_MS
    )
    return cold, Memory(bare_bytes=bare, peak_bytes=peak, added_bytes=peak - bare)
