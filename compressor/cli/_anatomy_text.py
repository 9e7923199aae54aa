"""A model's anatomy as text."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from compressor.analyses.anatomy import Anatomy


def anatomy_text(name: str, anatomy: Anatomy, *, nodes: bool) -> str:
    """Return interface, totals and operators of *anatomy*; with *nodes* every node as well."""
    lines = [name]
    lines += [f"  input   {spec}" for spec in anatomy.interface.inputs]
    lines += [f"  output  {spec}" for spec in anatomy.interface.outputs]
    cost = anatomy.cost
    lines += [
        f"  {len(anatomy.nodes)} nodes, {cost.macs / 1e6:,.2f} M MACs, "
        f"{cost.parameters:,} parameters in {cost.weight_bytes / 1e3:,.1f} KB, "
        f"{anatomy.quantized_weights:.0%} of them integers",
        "",
    ]
    operators = [
        (op, f"{count}", _millions(macs), _share(macs, cost.macs), f"{parameters:,}")
        for op, count, macs, parameters in anatomy.operators()
    ]
    text = "\n".join(lines) + "\n"
    text += table_of(("operator", "nodes", "M MACs", "share", "parameters"), operators, left=1)
    if nodes:
        rows = [
            (n.name, n.op_type, n.precision, n.output, _millions(n.macs), f"{n.parameters:,}")
            for n in anatomy.nodes
        ]
        columns = ("node", "operator", "precision", "output", "M MACs", "parameters")
        text += "\n" + table_of(columns, rows, left=4)
    return text


def _millions(macs: int) -> str:
    return f"{macs / 1e6:,.3f}" if macs else ""


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if part and whole else ""


def table_of(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Return an unboxed table whose first *left* columns are text and the others numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*map(Text, row))
    stream = io.StringIO()
    width = Console(width=10_000).measure(table).maximum
    Console(file=stream, width=width, color_system=None).print(table)
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())
