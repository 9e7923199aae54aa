"""The record of what each pass did: time, changes, bytes and MACs after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compressor.analyses.cost import Cost
from compressor.passes.protocol import Changes


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One pass: its name, CPU seconds, changes, and the graph's state afterwards.

    Attributes:
        quality: the metric on a few samples after the pass, where it was asked for.
    """

    name: str
    seconds: float
    changes: Changes
    nodes: int
    cost: Cost
    quality: float | None = None

    def summary(self) -> str:
        """Return what changed in words, such as ``49 folded into weights``."""
        done = [f"{count} {what}" for what, count in self.changes.counts.items() if count]
        skipped = len(self.changes.skipped)
        return ", ".join(done + ([f"{skipped} skipped"] if skipped else [])) or "nothing to do"

    def change_from(self, before: Cost) -> dict[str, int]:
        """Return what the pass added to the cost *before* it; negative for what it saved."""
        after = asdict(self.cost)
        return {name: after[name] - count for name, count in asdict(before).items()}

    def to_json(self) -> dict[str, Any]:
        """Return the entry as a JSON-ready mapping."""
        return {
            "pass": self.name,
            "seconds": round(self.seconds, 4),
            "changes": dict(self.changes.counts),
            "skipped": [{"node": s.node, "reason": s.reason} for s in self.changes.skipped],
            "nodes": self.nodes,
            "macs": self.cost.macs,
            "parameters": self.cost.parameters,
            "weight_bytes": self.cost.weight_bytes,
            "quality": self.quality,
        }


def ledger_json(start: Cost, entries: Sequence[LedgerEntry]) -> Iterator[dict[str, Any]]:
    """Yield the entries as JSON, each with its change of the cost; the changes add up exactly.

    *start* is the cost of the graph as it was read; changes and *start* sum to the last entry.
    """
    before = start
    for entry in entries:
        yield entry.to_json() | {"change": entry.change_from(before)}
        before = entry.cost
