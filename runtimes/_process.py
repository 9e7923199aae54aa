"""A child process that answers one request at a time, and what to say when it dies."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressor.errors import Code, EdgecError
from runtimes._wire import Message, receive, send
from runtimes.protocol import Feeds

# The folder of our packages leads the search path only while they are found, so that a user's
# `runtimes` or `bench` cannot take their place, nor our folder shadow anything else. Safe-path mode
# (-P) keeps the current folder out altogether.
_BOOTSTRAP = """
import sys
sys.path.insert(0, sys.argv[1])
import compressor, runtimes
del sys.path[0]
from runtimes._child import main
main()
"""
_ROOT = Path(__file__).resolve().parent.parent
_DYING_S = 5.0
_CHATTER = ("INFO:", "WARNING:")
_SHOWN_LINES = 3
_SHOWN_BYTES = 8192


@dataclass(frozen=True)
class Task:
    """What the child is asked to do, in words for errors: with what, doing what, on which files."""

    runtime: str
    doing: str
    files: tuple[Path, ...] = ()


class ChildProcess:
    """Starts at once; ``close`` ends it. Every request is bounded by *timeout_s*."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._expired = False
        self._said = ""
        self._said_before = 0
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOTSTRAP, str(_ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )

    @property
    def pid(self) -> int:
        """The process number."""
        return self._process.pid

    def request(
        self, header: Mapping[str, Any], arrays: Feeds | None = None, *, task: Task
    ) -> Message:
        """Return the child's reply.

        Raises:
            EdgecError: the child's own, or ``RUNTIME_CRASHED`` when it died, did not answer in
                time, or has ended before.
        """
        reply: Message | None = None
        if not self._stderr.closed:
            self._said_before = os.fstat(self._stderr.fileno()).st_size
        watchdog = threading.Timer(self._timeout_s, self._expire)
        watchdog.daemon = True
        watchdog.start()
        try:
            reply = self._exchange(header, arrays or {})
        finally:
            watchdog.cancel()
            if reply is None:  # it died, or we were interrupted amid a message
                self.close()
        if reply is None:
            raise self._death(task)
        if "error" in reply[0]:
            raise _rebuilt(reply[0]["error"])
        return reply

    def close(self) -> None:
        """End the child at once, whatever it is doing; harmless when repeated."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # an unsent rest of a request
                    pipe.close()
        if not self._stderr.closed:
            self._said = self._last_lines()
            self._stderr.close()

    def _exchange(self, header: Mapping[str, Any], arrays: Feeds) -> Message | None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None or stdin.closed:
            return None
        with contextlib.suppress(BrokenPipeError, EOFError):
            send(stdin, header, arrays)
            if reply := receive(stdout):
                return reply
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_DYING_S)  # its own exit status, not that of our kill
        return None

    def _expire(self) -> None:
        self._expired = True
        self._process.kill()

    def _last_lines(self) -> str:
        """Return the last lines that the child wrote during the last request."""
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(self._said_before, size - _SHOWN_BYTES))
        lines = self._stderr.read().decode(errors="replace").splitlines()
        told = [line.strip() for line in lines if line.strip() and not line.startswith(_CHATTER)]
        return " | ".join(told[-_SHOWN_LINES:])

    def _death(self, task: Task) -> EdgecError:
        if self._expired:
            how = f"did not answer within {self._timeout_s:g} s"
        else:
            how = _ending(self._process.returncode)
        said = f": {self._said}" if self._said else ""
        return EdgecError(
            Code.RUNTIME_CRASHED,
            f"{task.runtime} {how} while {task.doing}{said}",
            where=", ".join(map(str, task.files)),
            expected="a file that the runtime loads and runs",
        )


def _ending(status: int) -> str:
    """Say in words how a process with exit *status* ended."""
    if status >= 0:
        return f"ended with exit status {status}"
    with contextlib.suppress(ValueError):  # real-time signals have no name
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"


def _rebuilt(data: Mapping[str, str]) -> EdgecError:
    return EdgecError(
        Code.find(data["code"]) or Code.INTERNAL,
        data["what"],
        where=data["where"],
        expected=data["expected"],
        hint=data["try"],
    )
