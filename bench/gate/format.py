"""What each report format defines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from bench.gate.ruling import Outcome, Ruling
from compressor.catalog import Catalog

FORMATS = Catalog("bench.gate.formats")

MARKS = {
    Outcome.PASS: "PASS",
    Outcome.FAIL: "FAIL",
    Outcome.UNCERTAIN: "UNCERTAIN",
    Outcome.UNKNOWN: "UNKNOWN",
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a report is about.

    Attributes:
        rulings: one a budget and artifact.
        exit_code: the gate's exit status.
        budgets: the file that the budgets stand in, as a reader finds it from the repository.
        why: explanations that were asked for, as lines of text.
    """

    rulings: Sequence[Ruling]
    exit_code: int
    budgets: str
    why: Sequence[str] = ()

    def count(self, outcome: Outcome) -> int:
        """Return how many rulings have *outcome*."""
        return sum(ruling.outcome is outcome for ruling in self.rulings)

    @property
    def summary(self) -> str:
        """The counts in words, such as ``4 pass, 1 fail``."""
        counts = ((outcome, self.count(outcome)) for outcome in Outcome)
        return ", ".join(f"{n} {o.value}" for o, n in counts if n) or "no budgets"


class Format(Protocol):
    """A module of ``bench/gate/formats``."""

    def render(self, verdict: Verdict) -> str:
        """Return the report as text that ends in a newline."""
        ...


def render(name: str, verdict: Verdict) -> str:
    """Return *verdict* in format *name*."""
    return cast("Format", FORMATS[name]).render(verdict)


def message(ruling: Ruling) -> str:
    """Return one sentence on *ruling*: what was found, what was allowed, and why it matters."""
    judged = ruling.judgement
    parts = [f"{ruling.title}: {judged.found}", f"allowed {ruling.limit}"]
    parts += [part for part in (judged.reason, judged.hint) if part]
    return "; ".join(parts)
