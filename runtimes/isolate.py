"""Runtimes in a child process, because a bad model can abort, crash or hang the process it is in.

    with Worker() as worker:
        session = worker.open("litert", path)
        outputs = session.run(feeds)

One child holds any number of sessions. It imports only the runtimes that are used and is not
started from the caller's script. What runtimes print is kept aside and shown only in the error when
the child dies.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from compressor.ir.interface import Interface
from runtimes._process import ChildProcess, Task
from runtimes._samples import batch_size, check_samples
from runtimes._wire import interface_from_json
from runtimes.interleave import Times
from runtimes.protocol import Array, Delegation, Feeds, Outputs, SessionOptions, check_feeds

_CHUNK_BYTES = 8 << 20


class Worker:
    """A child process that runs models; leaving the ``with`` block ends it.

    Every request is bounded by *timeout_s*. When the child dies or hangs, that request and all
    later ones raise ``RUNTIME_CRASHED``; this process is unharmed.
    """

    def __init__(self, *, timeout_s: float = 120.0) -> None:
        self._child = ChildProcess(timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The child's process number."""
        return self._child.pid

    def open(
        self, runtime: str, path: Path, options: SessionOptions | None = None
    ) -> RemoteSession:
        """Load the model at *path* with the runtime of that target name.

        Raises:
            EdgecError: ``MODEL_NOT_FOUND``, ``TARGET_UNKNOWN``, ``RUNTIME_UNAVAILABLE``,
                ``RUNTIME_REFUSED`` with the runtime's reason, ``RUNTIME_CRASHED``.
        """
        path, options = path.absolute(), options or SessionOptions()
        request = {
            "do": "open",
            "runtime": runtime,
            "path": str(path),
            "options": dataclasses.asdict(options),
        }
        reply, _ = self._child.request(request, task=Task(runtime, "loading", (path,)))
        interface = interface_from_json(reply["interface"])
        task = Task(runtime, "running", (path,))
        session = RemoteSession(self._child, reply["session"], interface, options, task)
        session.delegation = _delegation(reply["delegation"])
        session.load_ns = int(reply["load_ns"])
        return session

    def time_interleaved(
        self,
        entries: Sequence[tuple[RemoteSession, Feeds]],
        *,
        seed: int,
        warmup_s: float,
        pause_s: float = 0.0,
    ) -> RemoteTimer:
        """Warm up sessions of this worker on their feeds and return the timer that compares them.

        *warmup_s* bounds the warm-up of each; *pause_s* is a rest before each sample. Errors are
        those of ``RemoteSession.run``.
        """
        sessions = [session for session, _ in entries]
        arrays: dict[str, Array] = {}
        for index, (session, feeds) in enumerate(entries):
            check_feeds(session.interface, feeds, session.path)
            arrays |= {f"{index}/{name}": array for name, array in feeds.items()}
        request = {
            "do": "time",
            "sessions": [session.number for session in sessions],
            "seed": seed,
            "warmup_s": warmup_s,
            "pause_s": pause_s,
        }
        files = tuple(session.path for session in sessions)
        names = "/".join(dict.fromkeys(session.runtime for session in sessions))
        task = Task(names, "timing", files)
        reply, _ = self._child.request(request, arrays, task=task)
        return RemoteTimer(
            self._child, reply["timer"], tuple(reply["repeats"]), reply["round_ns"], task
        )

    def pin(self, cores: Sequence[int]) -> None:
        """Let the child, and threads that it starts from now on, run on *cores* only (Linux)."""
        self._child.request({"do": "pin", "cores": list(cores)}, task=Task("the child", "starting"))

    def peak_bytes(self) -> int:
        """Return the child's largest resident set so far, in bytes."""
        reply, _ = self._child.request({"do": "peak"}, task=Task("the child", "starting"))
        return int(reply["peak_bytes"])

    def close(self) -> None:
        """End the child at once, whatever it is doing; harmless when repeated."""
        self._child.close()


class RemoteSession:
    """A session in a worker's child; as ``Session``, and ``run_many`` for whole sample sets.

    Attributes:
        number: names the session to the child.
        interface: inputs and outputs as the runtime sees them.
        options: what it was opened with.
        delegation: what of the model a delegate runs; None without one.
        load_ns: nanoseconds that loading took; of a child's first session, with the library.
    """

    delegation: Delegation | None = None
    load_ns: int = 0

    def __init__(
        self,
        child: ChildProcess,
        number: int,
        interface: Interface,
        options: SessionOptions,
        task: Task,
    ) -> None:
        self._child = child
        self._task = task
        self.number = number
        self.interface = interface
        self.options = options

    @property
    def path(self) -> Path:
        """The model's file."""
        return self._task.files[0]

    @property
    def runtime(self) -> str:
        """The runtime's target name."""
        return self._task.runtime

    def run(self, feeds: Feeds) -> Outputs:
        """Return all outputs by name.

        Raises:
            EdgecError: ``RUNTIME_REFUSED`` when *feeds* do not fit, ``RUNTIME_CRASHED``.
        """
        check_feeds(self.interface, feeds, self.path)
        request = {"do": "run", "session": self.number}
        return self._child.request(request, feeds, task=self._task)[1]

    def first_ns(self, feeds: Feeds) -> int:
        """Return the nanoseconds of one inference on *feeds*: of the first, when nothing ran yet.

        Raises:
            EdgecError: ``RUNTIME_REFUSED`` when *feeds* do not fit, ``RUNTIME_CRASHED``.
        """
        check_feeds(self.interface, feeds, self.path)
        request = {"do": "first", "session": self.number}
        return int(self._child.request(request, feeds, task=self._task)[0]["elapsed_ns"])

    def run_exposed(self, feeds: Feeds) -> Outputs:
        """Return every computed tensor by its name in the file, as real numbers.

        Raises:
            EdgecError: ``RUNTIME_REFUSED`` when *feeds* do not fit, or the runtime cannot.
        """
        check_feeds(self.interface, feeds, self.path)
        request = {"do": "run_exposed", "session": self.number}
        return self._child.request(request, feeds, task=self._task)[1]

    def run_many(
        self,
        samples: Feeds,
        *,
        batch: int = 1,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Outputs:
        """Run samples (first axis of every array) and return outputs with the same first axis.

        Samples travel in pieces of some megabytes, so neither side holds a second copy of them all.
        By default the model sees one sample at a time, as when deployed: scales computed at run
        time (dynamic quantization) would otherwise depend on a sample's neighbours. *batch* applies
        where the first dimension is symbolic. *on_progress* is told samples done, and of how many.

        Raises:
            EdgecError: ``RUNTIME_REFUSED`` when *samples* do not fit, ``RUNTIME_CRASHED``.
        """
        count = check_samples(self.interface, samples, self.path)
        step = self._piece(samples, count, batch)
        request = {"do": "run_many", "session": self.number, "batch": batch}
        pieces: list[Outputs] = []
        for start in range(0, count, step):
            piece = {name: array[start : start + step] for name, array in samples.items()}
            pieces.append(self._child.request(request, piece, task=self._task)[1])
            if on_progress:
                on_progress(min(start + step, count), count)
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}

    def close(self) -> None:
        """Release the model in the child."""
        request = {"do": "close", "session": self.number}
        self._child.request(request, task=self._task)

    def _piece(self, samples: Feeds, count: int, batch: int) -> int:
        """Samples in one message: about 8 MiB, and whole batches."""
        each = sum(array.nbytes for array in samples.values()) // count
        step = batch_size(self.interface, batch)
        return max(1, _CHUNK_BYTES // max(1, each) // step) * step


def _delegation(found: Mapping[str, Any] | None) -> Delegation | None:
    if found is None:
        return None
    return Delegation(**{**found, "outside": tuple(found["outside"])})


class RemoteTimer:
    """Sessions bound and warmed up in the child, ready to be timed against each other.

    Attributes:
        repeats: runs within one sample, for each session.
        round_ns: expected nanoseconds of one round.
    """

    def __init__(
        self,
        child: ChildProcess,
        number: int,
        repeats: tuple[int, ...],
        round_ns: int,
        task: Task,
    ) -> None:
        self._child = child
        self._number = number
        self._task = task
        self.repeats = repeats
        self.round_ns = round_ns

    def rounds(self, count: int) -> Times:
        """Run *count* rounds; return the nanoseconds of every sample, shape [count, sessions]."""
        request = {"do": "rounds", "timer": self._number, "count": count}
        return self._child.request(request, task=self._task)[1]["elapsed"]
