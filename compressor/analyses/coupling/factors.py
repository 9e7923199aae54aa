"""How a reshape regroups axes: the common factors of the axes before and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import onnx_ir as ir


@dataclass(frozen=True)
class Size:
    """Length of an axis: a number times symbols, such as ``49*batch``."""

    number: int
    symbols: tuple[str, ...] = ()

    @classmethod
    def of(cls, dim: int | ir.SymbolicDim, unknown: str) -> Size:
        """Return the size of *dim*; a dimension without a name is called *unknown*."""
        if isinstance(dim, int):
            return cls(dim)
        parts = (dim.value or unknown).split("*")
        number = prod(int(part) for part in parts if part.isdecimal())
        return cls(number, tuple(sorted(part for part in parts if not part.isdecimal())))

    def known_as(self, aliases: Mapping[str, Size]) -> Size:
        """Return the size with each symbol replaced by what it is known to stand for."""
        parts = [aliases.get(symbol, Size(1, (symbol,))) for symbol in self.symbols]
        symbols = sorted(symbol for part in parts for symbol in part.symbols)
        return Size(self.number * prod(part.number for part in parts), tuple(symbols))

    def over(self, other: Size) -> Size | None:
        """Return the quotient, None where *other* is no divisor."""
        if not other.number or self.number % other.number:
            return None
        have, want = Counter(self.symbols), Counter(other.symbols)
        if want - have:
            return None
        return Size(self.number // other.number, tuple(sorted((have - want).elements())))


@dataclass(frozen=True)
class Factor:
    """A run of elements that lies within one axis before and one axis after a reshape."""

    size: Size
    source: int
    target: int


ONE = Size(1)


def common_factors(source: Sequence[Size], target: Sequence[Size]) -> list[Factor] | None:
    """Return the factors of a reshape from outermost to innermost, None where there are none.

    Axes of length 1 have no part.
    """
    left = [(i, size) for i, size in enumerate(source) if size != ONE]
    right = [(i, size) for i, size in enumerate(target) if size != ONE]
    factors = []
    while left and right:
        (i, a), (j, b) = left.pop(0), right.pop(0)
        if (rest := b.over(a)) is not None:
            factors.append(Factor(a, i, j))
            if rest != ONE:
                right.insert(0, (j, rest))
        elif (rest := a.over(b)) is not None:
            factors.append(Factor(b, i, j))
            left.insert(0, (i, rest))
        else:
            return None
    return None if left or right else factors


def resolved(source: Sequence[Size], target: Sequence[Size]) -> list[Size]:
    """Return *target* with one length that *source* does not explain worked out from the others."""
    known = {symbol for size in source for symbol in size.symbols}
    strange = [i for i, size in enumerate(target) if set(size.symbols) - known]
    if len(strange) != 1:
        return list(target)
    rest: Size | None = _product(source)
    for i, size in enumerate(target):
        if i not in strange and rest is not None:
            rest = rest.over(size)
    return [rest if i in strange and rest is not None else size for i, size in enumerate(target)]


def _product(sizes: Sequence[Size]) -> Size:
    symbols = sorted(symbol for size in sizes for symbol in size.symbols)
    return Size(prod(size.number for size in sizes), tuple(symbols))
