"""What a target answers with that cannot be timed here: numbers, their doubt and their origin.

A benchmark treats every target string in one of two ways. Where ``is_estimated(text)`` holds,
``estimate(text, path)`` answers at once; all others are runtimes, which open sessions that are
timed (``runtimes/targets.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol, cast

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError

_FOLDER = Catalog("runtimes.estimators")
_SIMULATED = "sim:"


class Tier(Enum):
    """How a number came about, from the surest to none at all."""

    MEASURED = "run and measured, or looked up where this very model was"
    COMPILER = "from the vendor's compiler for this very model"
    CALIBRATED = "a cost model, calibrated with the user's own times on the device"
    PROFILE = "a cost model, fitted to published times on the device"
    ZERO = "a cost model that knows the device's core and clock only"
    UNKNOWN = "too much of the model is unlike anything measured"


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A median with the intervals that hold the true value four and nine times of ten."""

    median: float
    low80: float
    high80: float
    low90: float
    high90: float


@dataclass(frozen=True, kw_only=True)
class MemoryNeed:
    """Bytes that a model takes on a device.

    Attributes:
        arena: activations at their peak; weights: constants as stored.
        overhead: of the runtime, where it is known.
        decided_by: the tensors that are alive at the peak, the largest first, with their bytes.
    """

    arena: int
    weights: int
    overhead: int = 0
    decided_by: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """One model on one target.

    Attributes:
        target: as the user wrote it; device: its full name.
        tier: how sure the latency is.
        latency_ms: of one inference; None where the tier is UNKNOWN or no latency is to be had.
        energy_mj: millijoules of one inference, where rows with energy were published.
        memory: what the model takes there.
        facts: what else the target says, by name (cycles, SRAM, operators on the NPU...).
        reasons: why the tier is what it is, and what the number leaves out.
        sources: where the measurements behind it were published, with their licences.
        uncovered: share of the predicted time in operators that no measured model has, 0 to 1.
    """

    target: str
    device: str
    tier: Tier
    latency_ms: Spread | None = None
    energy_mj: Spread | None = None
    memory: MemoryNeed | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    uncovered: float = 0.0


class Estimator(Protocol):
    """What a module of ``runtimes/estimators`` defines."""

    def targets(self) -> tuple[str, ...]:
        """Return the targets that it answers for; cheap, nothing is imported for it."""
        ...

    def available(self) -> str | None:
        """Return None when usable here, otherwise the reason and what to install."""
        ...

    def estimate(self, target: str, path: Path, options: Mapping[str, str]) -> Estimate:
        """Answer for the model at *path*; *options* are those written after the target's name."""
        ...


def targets() -> dict[str, Estimator]:
    """Return every target that is estimated, by name."""
    modules = (cast("Estimator", module) for module in _FOLDER.values())
    return {name: module for module in modules for name in module.targets()}


def is_estimated(text: str) -> bool:
    """Whether the target string *text* is answered by an estimate rather than a session."""
    name, _ = _split(text)
    return name.startswith(_SIMULATED) or name in targets()


def estimate(text: str, path: Path) -> Estimate:
    """Answer for the model at *path* on the target string *text*, ``name[,option=value...]``.

    Raises:
        EdgecError: ``TARGET_UNKNOWN`` names the nearest target, ``RUNTIME_UNAVAILABLE`` what to
            install, ``RECIPE_INVALID`` an option; else what is wrong with the model.
    """
    name, options = _split(text)
    estimator = _estimator(name)
    if reason := estimator.available():
        raise EdgecError(Code.RUNTIME_UNAVAILABLE, reason, where=f"target '{name}'")
    return estimator.estimate(name, path, options)


def _estimator(name: str) -> Estimator:
    if name.startswith(_SIMULATED):  # also a user's own device file, which no folder lists
        return cast("Estimator", _FOLDER["sim"])
    known = targets()
    if name not in known:
        raise EdgecError(
            Code.TARGET_UNKNOWN,
            f"there is no target '{name}'",
            expected=nearest(name, list(known)),
            hint="edgec devices list shows them",
        )
    return known[name]


def _split(text: str) -> tuple[str, dict[str, str]]:
    name, *settings = (part.strip() for part in text.split(","))
    pairs = [setting.partition("=") for setting in settings]
    return name, {key: value for key, _, value in pairs}
