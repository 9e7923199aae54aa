"""What a person sees on stderr meanwhile: a live line on a terminal, log lines elsewhere."""

from __future__ import annotations

import time
from typing import Self

import onnx_ir as ir
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from compressor.cli._graphs import Graphs
from compressor.ledger import LedgerEntry

_LOG_EVERY_S = 10.0


class ConsoleProgress:
    """Shows the stage and the time left; a context manager, so that the line goes away again."""

    def __init__(self, *, verbose: bool = False, graphs: Graphs | None = None) -> None:
        self._console = Console(stderr=True)
        self._live = self._console.is_terminal
        self._verbose = verbose
        self._graphs = graphs or Graphs()
        self._bar = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._live,
        )
        self._task: TaskID | None = None
        self._stage = ""
        self._logged = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def stage(self, name: str) -> None:
        """Begin a stage: a new bar, or a log line."""
        self._stage = name
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(name, total=None)
        if not self._live:
            self._say(f"{name} ...")

    def done(self, count: int, total: int) -> None:
        """Move the bar; off a terminal say so now and then."""
        if self._task is not None:
            self._bar.update(self._task, completed=count, total=total)
        now = time.monotonic()
        if not self._live and now - self._logged > _LOG_EVERY_S:
            self._logged = now
            self._say(f"{self._stage}: {count} of {total}")

    def ran(self, entry: LedgerEntry, graph: ir.Model) -> None:
        """Show a pass when every pass is wanted, and its graph when that is."""
        self._graphs.show(entry.name, graph)
        if self._verbose:
            self._say(f"  {entry.name}: {entry.summary()} ({entry.seconds:.2f} s)")

    def note(self, text: str) -> None:
        """Show a remark."""
        self._say(f"note: {text}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
