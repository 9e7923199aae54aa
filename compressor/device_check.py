"""A device's profile held against times that a user measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runtimes.estimators.sim import choose_profile
from runtimes.simulator.profile import find_device
from runtimes.simulator.simulate import simulate
from runtimes.simulator.user_times import read_user_times


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One model: its measured and predicted milliseconds.

    Attributes:
        predicted_ms: None where the device's answer is UNKNOWN.
        error: as a share of the measured time; inside90: within the 90 % interval.
    """

    model: str
    measured_ms: float
    predicted_ms: float | None
    error: float | None
    inside90: bool


def check_device(name: str, times: Path, *, threads: int, runtime: str) -> list[Checked]:
    """Predict every model of the table *times* on device *name* and compare."""
    profile, _ = choose_profile(find_device(name), {"threads": str(threads)}, f"sim:{name}")
    found = []
    given = read_user_times(times)
    for model, measured in given.ms.items():
        spread = simulate(given.works[model], profile, runtime=runtime).latency_ms
        found.append(
            Checked(
                model=model,
                measured_ms=measured,
                predicted_ms=spread.median if spread else None,
                error=abs(spread.median / measured - 1) if spread else None,
                inside90=spread is not None and spread.low90 <= measured <= spread.high90,
            )
        )
    return found
