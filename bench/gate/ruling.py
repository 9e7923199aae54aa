"""The verdict on one budget, and what all of them mean for the exit status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from bench.records import Record
from compressor.errors import ExitCode


class Outcome(Enum):
    """What is known of a budget: kept, broken, too noisy to say, or not answerable."""

    PASS = "pass"  # noqa: S105 - not a password
    FAIL = "fail"
    UNCERTAIN = "uncertain"
    UNKNOWN = "unknown"


class Level(Enum):
    """What follows from a broken budget: a failed gate, a remark, or nothing."""

    ERROR = "error"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class Judgement(Record):
    """What a kind of budget says of one value.

    Attributes:
        outcome: the verdict.
        found: the value, with its interval where it has one.
        reason: why it was judged so; empty for a plain pass.
        hint: what to do about it.
    """

    outcome: Outcome
    found: str
    reason: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Ruling(Record):
    """A judgement with the budget that it is about.

    Attributes:
        budget: its name, such as ``size.file``.
        artifact: the artifact's file name, or empty where it is about all.
        limit: the limit as written.
        line: where the budget stands in its file.
    """

    budget: str
    artifact: str
    limit: str
    level: Level
    judgement: Judgement
    line: int

    @property
    def outcome(self) -> Outcome:
        """The verdict."""
        return self.judgement.outcome

    @property
    def title(self) -> str:
        """Budget and artifact in words."""
        return f"{self.budget} of {self.artifact}" if self.artifact else self.budget


def exit_code(rulings: Iterable[Ruling], *, allow_uncertain: bool = False) -> ExitCode:
    """Return 1 when an error-level budget failed, 3 when one could not be decided, else 0."""
    outcomes = {ruling.outcome for ruling in rulings if ruling.level is Level.ERROR}
    if Outcome.FAIL in outcomes:
        return ExitCode.BUDGET
    undecided = {Outcome.UNKNOWN} if allow_uncertain else {Outcome.UNKNOWN, Outcome.UNCERTAIN}
    return ExitCode.INCONCLUSIVE if outcomes & undecided else ExitCode.OK
