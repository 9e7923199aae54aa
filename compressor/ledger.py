"""The record of what each pass did: time, changes, bytes and MACs after it."""

from __future__ import annotations

from dataclasses import dataclass
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
