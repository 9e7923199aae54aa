"""Graphs as text on stderr, after the passes that a person wants to see."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import click
import onnx_ir as ir

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError

PASSES = Catalog("compressor.passes", shared=("protocol", "opset", "fused"))


def pass_names(given: Sequence[str]) -> list[str]:
    """Return the names of the passes that were *given*; ``USAGE`` names the nearest."""
    for name in given:
        if name not in PASSES:
            raise EdgecError(
                Code.USAGE,
                f"there is no pass '{name}'",
                where="--print-after",
                expected=nearest(name, list(PASSES)),
            )
    return list(given)


class Graphs:
    """Shows the graph after some passes, or what each pass changed.

    Attributes:
        after: names of the passes after which the whole graph is shown.
        changed: whether to show the lines that every pass changed.
    """

    def __init__(self, after: Sequence[str] = (), *, changed: bool = False) -> None:
        self.after = frozenset(after)
        self.changed = changed
        self._before: list[str] = []

    def show(self, name: str, graph: ir.Model) -> None:
        """Show *graph* as pass *name* left it, where that is wanted."""
        if not self.changed and name not in self.after:
            return
        from compressor.ir.text import to_text

        if name in self.after:
            click.echo(f"# after {name}\n{to_text(graph)}", err=True, nl=False)
        if self.changed:
            lines = to_text(graph, annotated=False).splitlines()
            difference = difflib.unified_diff(self._before, lines, "", name, lineterm="", n=1)
            for line in difference if self._before else ():
                click.echo(line, err=True)
            self._before = lines
