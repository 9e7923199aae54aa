"""How much of a metric may be lost, as a user writes it: ``0.5 pt``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from compressor.errors import Code, EdgecError

_UNITS = ("pt", "pts", "points")


@dataclass(frozen=True, kw_only=True)
class Points:
    """A loss; points are hundredths of a metric that lies between 0 and 1.

    Attributes:
        value: the number that was written.
    """

    value: float

    @classmethod
    def parse(cls, text: str, where: str) -> Points:
        """Return the loss written as *text*.

        Raises:
            EdgecError: ``RECIPE_INVALID`` unless it is a number that is not negative.
        """
        number = text.strip()
        for unit in _UNITS:
            number = number.removesuffix(unit)
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            raise EdgecError(
                Code.RECIPE_INVALID,
                f"'{text}' is no loss",
                where=where,
                expected="such as '0.5 pt'",
            )
        return cls(value=value)

    def __str__(self) -> str:
        """Write the loss as it is read."""
        return f"{self.value:g} pt"
