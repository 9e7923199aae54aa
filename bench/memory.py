"""Memory that running a model takes: peak resident set of a fresh child, before and after."""

from __future__ import annotations

from pathlib import Path

from bench.records import Memory
from runtimes.isolate import Worker
from runtimes.protocol import Feeds, SessionOptions


def measure_memory(
    runtime: str, path: Path, feeds: Feeds, options: SessionOptions | None = None
) -> Memory:
    """Load *path* in a child of its own, run it once on *feeds*, and return the peaks.

    The difference counts everything that the model brings: the runtime's library, the file, packed
    weights, buffers, inputs and outputs. Python and numpy are in both figures.

    Raises:
        EdgecError: as ``Worker.open`` and ``RemoteSession.run``.
    """
    with Worker() as worker:
        bare = worker.peak_bytes()
        worker.open(runtime, path, options).run(feeds)
        peak = worker.peak_bytes()
    return Memory(bare_bytes=bare, peak_bytes=peak, added_bytes=peak - bare)
