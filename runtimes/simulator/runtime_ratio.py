"""How times differ between inference libraries on the same device, from published pairs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).parent / "runtime_ratios.json"


@dataclass(frozen=True, kw_only=True)
class RuntimeRatio:
    """Times of *runtime* over those of the library that a profile was fitted to.

    Attributes:
        log_ratio: median of the logarithm; spread: its standard deviation over pairs.
        count: published pairs of one model on one chip.
    """

    runtime: str
    log_ratio: float
    spread: float
    count: int


def runtime_ratio(measured: str, runtime: str, *, integer: bool) -> RuntimeRatio | None:
    """Return the ratio from runtime *measured* to *runtime*; None when they are the same.

    Where no pairs were published, the ratio is 1 with the spread of those that were.
    """
    if measured in (runtime, "own"):
        return None
    pairs = _pairs()
    precision = "int8" if integer else "float"
    entry = pairs.get(f"{measured}->{runtime}", {}).get(precision)
    if entry is None:
        widest = max(each["spread"] for table in pairs.values() for each in table.values())
        return RuntimeRatio(runtime=runtime, log_ratio=0.0, spread=widest, count=0)
    return RuntimeRatio(
        runtime=runtime,
        log_ratio=entry["log_ratio"],
        spread=entry["spread"],
        count=entry["count"],
    )


@cache
def _pairs() -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return tree["ratios"]  # type: ignore[no-any-return]
