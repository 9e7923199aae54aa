"""What of a model may be pruned, and what was, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx_ir as ir

from compressor.analyses.coupling.analyze import couple
from compressor.cli._anatomy_text import table_of
from compressor.pruning.budget import Measure
from compressor.pruning.costs import CostModel


def prunable_rows(model: ir.Model) -> list[dict[str, Any]]:
    """Return every dimension of *model*: its units, the axes they share, why they are held.

    ``saves`` is the share of all MACs that goes when half of the units do.
    """
    coupling = couple(model)
    cost = CostModel(model, coupling, Measure.MACS)
    whole = cost.of(coupling.removed(coupling.dimensions[0].units[:0])) if len(coupling.axes) else 0
    rows = []
    for dimension in coupling.dimensions:
        held = dimension.blocked or ("one unit must stay" if len(dimension) == 1 else "")
        half = coupling.removed(dimension.units[: len(dimension) // 2])
        saves = 0.0 if held or not whole else 1 - cost.of(half) / whole
        rows.append(
            {
                "dimension": dimension.name,
                "units": len(dimension),
                "axes": [f"{value}[{axis}]" for value, axis in dimension.sites],
                "saves": round(saves, 6),
                "held": held,
            }
        )
    return rows


def prunable_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the table of *rows*."""
    columns = ("dimension", "held because", "units", "axes", "half saves MACs")
    return table_of(
        columns,
        [
            (
                row["dimension"],
                row["held"],
                str(row["units"]),
                str(len(row["axes"])),
                f"{row['saves']:.1%}" if row["saves"] else "",
            )
            for row in rows
        ],
        left=2,
    )


def pruned_text(pruning: Mapping[str, Any]) -> str:
    """Return the table of a report's ``pruning``: kept and total of each dimension, and why."""
    rows = [
        (row["name"], row["why"], f"{row['kept']}/{row['total']}") for row in pruning["dimensions"]
    ]
    return table_of(("dimension", "why", "kept"), rows, left=2)
