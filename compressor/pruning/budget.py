"""How small the result is to be: ``macs=50%``, ``params=0.4``, ``size=2MB``, ``latency=60%``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError

_FORM = re.compile(r"(\w+)\s*=\s*(\d+(?:\.\d*)?|\.\d+)\s*(%|[kKmM]?B|[kKmMgG])?")
_UNITS = {"": 1.0, "b": 1.0, "k": 1e3, "kb": 1e3, "m": 1e6, "mb": 1e6, "g": 1e9}


class Measure(Enum):
    """What is counted."""

    MACS = "macs"
    PARAMS = "params"
    SIZE = "size"
    LATENCY = "latency"


class Allocation(Enum):
    """How a budget is divided among dimensions."""

    SENSITIVITY = "sensitivity"
    GLOBAL = "global"
    UNIFORM = "uniform"


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A bound on what is left.

    Attributes:
        measure: what is counted.
        share: largest share of the original that may be left, 0 to 1; None for a bound in units.
        amount: largest number of MACs, parameters or bytes of float weights that may be left.
    """

    measure: Measure
    share: float | None = None
    amount: float | None = None

    @classmethod
    def parse(cls, text: str, where: str) -> Budget:
        """Read ``macs=50%``: at most half of the multiply-accumulates are left.

        Raises:
            EdgecError: ``RECIPE_INVALID``, naming *where* it was said.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise _invalid(f"'{text}' is no budget", where)
        kind, number, unit = found.group(1), found.group(2), found.group(3) or ""
        known = [measure.value for measure in Measure]
        if kind not in known:
            raise _invalid(
                f"'{kind}' is nothing that can be counted: {nearest(kind, known)}", where
            )
        measure, value = Measure(kind), float(number)
        if unit != "%" and value > 1:
            if measure is Measure.LATENCY:
                raise _invalid("latency is given as a share of what it is now", where)
            return cls(measure=measure, amount=value * _UNITS[unit.lower()])
        share = value / 100 if unit == "%" else value
        if not 0 < share < 1:
            raise _invalid(f"'{text}' leaves nothing to do, or nothing at all", where)
        return cls(measure=measure, share=share)

    def bound(self, whole: float) -> float:
        """Return the largest amount that may be left of *whole*."""
        return whole * self.share if self.share is not None else float(self.amount or 0.0)

    def __str__(self) -> str:
        if self.share is not None:
            return f"{self.measure.value}={100 * self.share:g}%"
        return f"{self.measure.value}={self.amount:g}"


def _invalid(what: str, where: str) -> EdgecError:
    return EdgecError(
        Code.RECIPE_INVALID,
        what,
        where=where,
        expected="macs=50%, params=40%, size=2MB, latency=60%: what may be left",
    )
