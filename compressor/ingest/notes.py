"""What an importer has to say about a model beyond the graph, such as how it was exported."""

from __future__ import annotations

from collections.abc import Iterable

import onnx_ir as ir

_KEY = "edgec.notes"


def add_notes(model: ir.Model, notes: Iterable[str]) -> None:
    """Keep *notes* with *model*; they are not written to files."""
    model.meta[_KEY] = (*notes_of(model), *notes)


def notes_of(model: ir.Model) -> tuple[str, ...]:
    """Return the notes that were added to *model*."""
    found: tuple[str, ...] = model.meta.get(_KEY, ())
    return found
