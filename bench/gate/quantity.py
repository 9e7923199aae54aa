"""Limits with units, as people write them: ``1.2 MB``, ``>= 90 %``, ``0.6x float``, ``+5 %``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError


class Dimension(Enum):
    """What a number counts; its member's value is the unit that numbers are kept in."""

    BYTES = "B"
    SECONDS = "s"
    JOULES = "J"
    PERCENT = "%"
    POINTS = "pt"
    DECIBELS = "dB"
    NUMBER = ""


class Bound(Enum):
    """On which side of the limit a value is good."""

    AT_MOST = "<="
    AT_LEAST = ">="


class Against(Enum):
    """What a limit is counted from.

    Members: nothing; a multiple of the float model's value; a change or a share of the baseline's.
    """

    NOTHING = "nothing"
    FLOAT = "float"
    BASELINE = "baseline"
    BASELINE_SHARE = "baseline share"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit.

    Attributes:
        value: in the unit of ``dimension``; a factor for FLOAT, a change for BASELINE, percent of
            change for BASELINE_SHARE.
        bound: the good side.
        against: what it is counted from.
        text: as it was written.
    """

    value: float
    dimension: Dimension
    bound: Bound
    against: Against
    text: str


UNITS: dict[Dimension, dict[str, float]] = {
    Dimension.BYTES: {
        "B": 1,
        "KB": 1e3,
        "MB": 1e6,
        "GB": 1e9,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
    },
    Dimension.SECONDS: {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    Dimension.JOULES: {"J": 1, "mJ": 1e-3, "uJ": 1e-6},
    Dimension.PERCENT: {"%": 1},
    Dimension.POINTS: {"pt": 1},
    Dimension.DECIBELS: {"dB": 1},
    Dimension.NUMBER: {"": 1},
}

_EXAMPLES = {
    Dimension.BYTES: '"1.2 MB"',
    Dimension.SECONDS: '"12 ms"',
    Dimension.JOULES: '"0.5 mJ"',
    Dimension.PERCENT: '"90 %"',
    Dimension.POINTS: '"0.5 pt"',
    Dimension.DECIBELS: '"20 dB"',
    Dimension.NUMBER: '"0.99"',
}

_NUMBER = r"(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
_LIMIT = re.compile(rf"(?P<bound><=|>=)?\s*(?P<sign>[+-])?\s*{_NUMBER}\s*(?P<unit>[A-Za-z%]*)")
_FLOAT = re.compile(rf"(?P<bound><=|>=)?\s*{_NUMBER}\s*x\s+float")


def parse_limit(text: object, dimension: Dimension, bound: Bound, where: str) -> Limit:
    """Return the limit that *text* states for a value of *dimension* whose good side is *bound*.

    A sign makes it a change against the baseline: ``+5 %`` of its value (of a value that is itself
    in percent, write points: ``-0.5 pt``), ``+10 KB`` beside it.

    Raises:
        EdgecError: ``RECIPE_INVALID`` for text that is no limit, has a wrong or no unit, or states
            the other bound.
    """
    if not isinstance(text, str):
        raise _invalid(f"{text!r} has no unit", where, f"text such as {_EXAMPLES[dimension]}")
    if found := _FLOAT.fullmatch(text.strip()):
        value, against = float(found["number"]), Against.FLOAT
    elif found := _LIMIT.fullmatch(text.strip()):
        value, against = _counted(found, dimension, where)
    else:
        raise _invalid(f"'{text}' is no limit", where, f"text such as {_EXAMPLES[dimension]}")
    if found["bound"] not in (None, bound.value):
        raise _invalid(f"'{text}' bounds the wrong side", where, f"'{bound.value} ...'")
    if not math.isfinite(value):
        raise _invalid(f"'{text}' is not finite", where, _EXAMPLES[dimension])
    return Limit(value=value, dimension=dimension, bound=bound, against=against, text=text.strip())


def _counted(found: re.Match[str], dimension: Dimension, where: str) -> tuple[float, Against]:
    """Return number and reference of a limit that is not a multiple of the float model's."""
    number, unit, sign = float(found["number"]), found["unit"], found["sign"]
    if sign is None:
        return number * _factor(unit, dimension, where), Against.NOTHING
    signed = number if sign == "+" else -number
    if unit == "%":
        return signed, Against.BASELINE_SHARE
    if dimension is Dimension.PERCENT:
        return signed * _factor(unit, Dimension.POINTS, where), Against.BASELINE
    return signed * _factor(unit, dimension, where), Against.BASELINE


def _factor(unit: str, dimension: Dimension, where: str) -> float:
    units = UNITS[dimension]
    if unit not in units:
        what = f"'{unit}' is no unit here" if unit else "the unit is missing"
        raise _invalid(what, where, nearest(unit, [name or "no unit" for name in units]))
    return units[unit]


def format_value(value: float, dimension: Dimension) -> str:
    """Return *value* with three significant digits in the unit that suits its size."""
    if not math.isfinite(value):
        return str(value)
    units = {name: size for name, size in UNITS[dimension].items() if "i" not in name}
    fitting = [(size, name) for name, size in units.items() if size <= abs(value)]
    size, name = max(fitting) if fitting else min((size, name) for name, size in units.items())
    scaled = value / size
    digits = f"{scaled:.2f}" if dimension in _FIXED else f"{scaled:.4g}"
    return f"{digits} {name}".strip()


_FIXED = frozenset({Dimension.PERCENT, Dimension.POINTS})


def _invalid(what: str, where: str, expected: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=where, expected=expected)
