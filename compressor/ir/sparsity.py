"""How much of the weights is to be zero: a share of them all, or n of every m in a row."""

from __future__ import annotations

import re
from dataclasses import dataclass

from compressor.errors import Code, EdgecError

_SHARE = re.compile(r"(\d+(?:\.\d*)?)\s*%")
_PATTERN = re.compile(r"(\d+)\s*:\s*(\d+)")
_LONGEST = 32


@dataclass(frozen=True, kw_only=True)
class Sparsity:
    """A share of zeros, or a pattern.

    Attributes:
        share: zeros among the weights, 0 to 1.
        pattern: (n, m): of every m weights in a row along the inputs, n stay; None for any places.
    """

    share: float
    pattern: tuple[int, int] | None = None

    @classmethod
    def parse(cls, text: str, where: str) -> Sparsity:
        """Read ``90%``, or ``2:4``: two of every four stay.

        Raises:
            EdgecError: ``RECIPE_INVALID``, naming *where* it was said.
        """
        if found := _SHARE.fullmatch(text.strip()):
            share = float(found.group(1)) / 100
            if 0 < share < 1:
                return cls(share=share)
        if found := _PATTERN.fullmatch(text.strip()):
            stay, run = int(found.group(1)), int(found.group(2))
            if 0 < stay < run <= _LONGEST:
                return cls(share=1 - stay / run, pattern=(stay, run))
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"'{text}' is no sparsity",
            where=where,
            expected="a share of zeros such as 90%, or a pattern such as 2:4",
        )

    def __str__(self) -> str:
        if self.pattern is None:
            return f"{100 * self.share:g}%"
        return f"{self.pattern[0]}:{self.pattern[1]}"
