"""How long work tells what it is doing; a caller that does not care passes ``Silent``."""

from __future__ import annotations

from typing import Protocol

import onnx_ir as ir

from compressor.ledger import LedgerEntry


class Progress(Protocol):
    """Hears of stages, of work done within one, of passes, and of things the user should know."""

    def stage(self, name: str) -> None:
        """Hear that a stage, such as "calibrate", begins."""
        ...

    def done(self, count: int, total: int) -> None:
        """Hear that *count* of *total* steps of the stage are done."""
        ...

    def ran(self, entry: LedgerEntry, graph: ir.Model) -> None:
        """Hear what a pass did, and see the graph that it left."""
        ...

    def note(self, text: str) -> None:
        """Hear a remark that belongs in front of the user."""
        ...


class Silent:
    """Progress that nobody watches."""

    def stage(self, name: str) -> None:
        """Ignore the stage."""

    def done(self, count: int, total: int) -> None:
        """Ignore the steps."""

    def ran(self, entry: LedgerEntry, graph: ir.Model) -> None:
        """Ignore the pass."""

    def note(self, text: str) -> None:
        """Ignore the remark."""


class Notebook:
    """Passes everything on to another progress and keeps the notes for the report."""

    def __init__(self, inner: Progress) -> None:
        self._inner = inner
        self.notes: list[str] = []

    def stage(self, name: str) -> None:
        """Pass the stage on."""
        self._inner.stage(name)

    def done(self, count: int, total: int) -> None:
        """Pass the steps on."""
        self._inner.done(count, total)

    def ran(self, entry: LedgerEntry, graph: ir.Model) -> None:
        """Pass the pass's entry on."""
        self._inner.ran(entry, graph)

    def note(self, text: str) -> None:
        """Keep the remark, once, and pass it on."""
        if text not in self.notes:
            self.notes.append(text)
            self._inner.note(text)
