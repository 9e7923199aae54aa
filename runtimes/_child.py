"""The child of ``runtimes.isolate``: holds sessions and answers requests until its input ends."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any, BinaryIO

from compressor.errors import Code, EdgecError
from runtimes._peak import peak_bytes
from runtimes._samples import run_samples
from runtimes._wire import Message, receive, send
from runtimes.interleave import InterleavedTimer
from runtimes.protocol import (
    Array,
    Delegating,
    Exposing,
    LocalSession,
    refused,
)
from runtimes.targets import open_session
from runtimes.targets import runtime as find_runtime

Arrays = dict[str, Array]


class Server:
    """Sessions and timers by number, and one method for each kind of request."""

    def __init__(self) -> None:
        self._sessions: dict[int, tuple[LocalSession, Path]] = {}
        self._timers: list[InterleavedTimer] = []

    def answer(self, request: Mapping[str, Any], arrays: Arrays) -> Message:
        """Return the reply to *request*; a failure becomes an error message."""
        handlers: dict[str, Callable[[Mapping[str, Any], Arrays], Message]] = {
            "open": self._open,
            "run": self._run,
            "run_exposed": self._run_exposed,
            "run_many": self._run_many,
            "first": self._first,
            "pin": self._pin,
            "close": self._close,
            "time": self._time,
            "rounds": self._rounds,
            "peak": self._peak,
        }
        try:
            return handlers[request["do"]](request, arrays)
        except EdgecError as error:
            return {"error": error.to_json()}, {}
        except Exception as error:  # noqa: BLE001 - the process edge: report, and keep serving
            traceback.print_exc()
            what = f"{type(error).__name__}: {error}"
            return {"error": EdgecError(Code.INTERNAL, what).to_json()}, {}

    def _open(self, request: Mapping[str, Any], _: Arrays) -> Message:
        path = Path(request["path"])
        options = find_runtime(request["runtime"]).OPTIONS(**request["options"])
        start = perf_counter_ns()
        session = open_session(request["runtime"], path, options)
        load_ns = perf_counter_ns() - start
        number = len(self._sessions)
        self._sessions[number] = session, path
        split = session.delegation if isinstance(session, Delegating) else None
        reply = {
            "session": number,
            "interface": session.interface.to_json(),
            "load_ns": load_ns,
            "delegation": None if split is None else dataclasses.asdict(split),
        }
        return reply, {}

    def _run(self, request: Mapping[str, Any], arrays: Arrays) -> Message:
        session, _ = self._sessions[request["session"]]
        return {}, session.run(arrays)

    def _run_exposed(self, request: Mapping[str, Any], arrays: Arrays) -> Message:
        session, path = self._sessions[request["session"]]
        if not isinstance(session, Exposing):
            raise refused(path, "this runtime shows no tensors inside a model")
        return {}, session.run_exposed(arrays)

    def _run_many(self, request: Mapping[str, Any], arrays: Arrays) -> Message:
        session, path = self._sessions[request["session"]]
        return {}, run_samples(session, arrays, request["batch"], path)

    def _first(self, request: Mapping[str, Any], arrays: Arrays) -> Message:
        """Run a session on feeds in place, and say how long it took."""
        run_once = self._sessions[request["session"]][0].bind(arrays)
        start = perf_counter_ns()
        run_once()
        return {"elapsed_ns": perf_counter_ns() - start}, {}

    def _pin(self, request: Mapping[str, Any], _: Arrays) -> Message:
        os.sched_setaffinity(0, request["cores"])
        return {}, {}

    def _close(self, request: Mapping[str, Any], _: Arrays) -> Message:
        self._sessions[request["session"]][0].close()
        return {}, {}

    def _time(self, request: Mapping[str, Any], arrays: Arrays) -> Message:
        """Bind the feeds of each entry, warm up, and keep the timer for ``rounds``."""
        calls = []
        for entry, number in enumerate(request["sessions"]):
            session, _ = self._sessions[number]
            prefix = f"{entry}/"
            feeds = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
            session.run(feeds)  # a refusal appears here, with its reason, and not while timing
            calls.append(session.bind(feeds))
        timer = InterleavedTimer(calls, request["seed"], pause_s=request["pause_s"])
        round_ns = timer.warm_up(request["warmup_s"])
        self._timers.append(timer)
        number = len(self._timers) - 1
        return {"timer": number, "repeats": list(timer.repeats), "round_ns": round_ns}, {}

    def _rounds(self, request: Mapping[str, Any], _: Arrays) -> Message:
        return {}, {"elapsed": self._timers[request["timer"]].rounds(request["count"])}

    def _peak(self, _request: Mapping[str, Any], _: Arrays) -> Message:
        return {"peak_bytes": peak_bytes()}, {}


def main() -> None:
    """Serve requests from standard input; replies go to what was standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    requests, replies = sys.stdin.buffer, _claim_stdout()
    server = Server()
    while (message := receive(requests)) is not None:
        send(replies, *server.answer(*message))


def _claim_stdout() -> BinaryIO:
    """Keep standard output for replies and send what libraries print there to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return replies
