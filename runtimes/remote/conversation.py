"""A program whose standard input and output are a conversation: bytes in, marked JSON lines out."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, Self

MARK = b"edgec1 "
_LONGEST_LINE = 1 << 30
_ENDING_S = 5.0
_SHOWN_BYTES = 8192


@dataclass(frozen=True, kw_only=True)
class Ending:
    """The conversation is over.

    Attributes:
        status: exit status of the program; None when it is silent, and was killed.
        said: lines of its standard error.
        heard_before: whether it had answered before.
    """

    status: int | None
    said: tuple[str, ...]
    heard_before: bool


class Conversation:
    """Starts *command* at once; leaving the ``with`` block ends it."""

    def __init__(self, command: list[str]) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the program
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr
        )
        self._lines: queue.Queue[bytes | None] = queue.Queue()
        self._heard = False
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, parts: Iterable[bytes]) -> None:
        """Write *parts*; when the program has gone, ``hear`` tells."""
        stream = self._process.stdin
        if stream is None:
            return
        with contextlib.suppress(BrokenPipeError):
            for part in parts:
                stream.write(part)
            stream.flush()

    def hear(self, seconds: float) -> Mapping[str, Any] | Ending:
        """Return the next marked line; unmarked ones are greetings of the other side's shell."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            self._process.kill()
            return self._ending(silent=True)
        if line is None:
            return self._ending(silent=False)
        self._heard = True
        found: Mapping[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the program; closing its input lets it end by itself, and the other side tidy up."""
        with contextlib.suppress(BrokenPipeError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()

    def _ending(self, *, silent: bool) -> Ending:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_ENDING_S)
        status = None if silent else self._process.returncode
        size = self._stderr.seek(0, 2)
        self._stderr.seek(max(0, size - _SHOWN_BYTES))
        lines = self._stderr.read().decode(errors="replace").splitlines()
        told = tuple(line.strip() for line in lines if line.strip())
        return Ending(status=status, said=told, heard_before=self._heard)

    def _listen(self) -> None:
        stream: IO[bytes] | None = self._process.stdout
        while stream is not None and (line := stream.readline(_LONGEST_LINE)):
            if line.startswith(MARK) and line.endswith(b"\n"):
                self._lines.put(line[len(MARK) :])
        self._lines.put(None)
