"""The ``.toml`` that says where samples lie, how to feed them and how to judge the answers."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Layout

MAX_TOML_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Feeding:
    """How stored samples become what the model takes: ``(x / divide - mean) / std``.

    Attributes:
        layout: order of the axes as stored; None when not stated.
        divide: divisor of every element.
        mean: subtracted after that, one for all channels or one for each.
        std: divided by at last, one for all channels or one for each.
    """

    layout: Layout | None = None
    divide: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    @property
    def scales(self) -> bool:
        """Whether values change at all on their way to the model."""
        return self.divide != 1.0 or any(self.mean) or any(s != 1.0 for s in self.std)


@dataclass(frozen=True, kw_only=True)
class Description:
    """The content of a data description: the ``.npz``, how to feed it, and the metric's name."""

    path: Path
    feeding: Feeding
    metric: str | None = None


def read_description(path: Path) -> Description:
    """Read a ``.toml`` data description, or take an ``.npz`` as one without settings.

    Raises:
        EdgecError: ``DATA_NOT_FOUND``, ``DATA_UNREADABLE``, or ``RECIPE_INVALID`` for an unknown
            key or a value of the wrong type.
    """
    _require_file(path)
    if path.suffix == ".npz":
        return Description(path=path, feeding=Feeding())
    if path.suffix == ".toml":
        return _from_settings(_load(path), path)
    raise EdgecError(
        Code.DATA_UNREADABLE,
        f"'{path.name}' is not a form of data that edgec reads",
        where=str(path),
        expected="an .npz file, or a .toml that names one and says how to feed it",
    )


def _load(path: Path) -> dict[str, Any]:
    try:
        _require_small(path)
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EdgecError(
            Code.DATA_UNREADABLE, f"cannot read the data description: {error}", where=str(path)
        ) from error


def _require_small(path: Path) -> None:
    if path.stat().st_size > MAX_TOML_BYTES:
        raise ValueError(f"it is longer than {MAX_TOML_BYTES} bytes")


def _from_settings(settings: dict[str, Any], path: Path) -> Description:
    values: dict[str, Any] = {key: _parse(key, value, path) for key, value in settings.items()}
    if "path" not in values:
        raise _invalid(path, "the data description lacks 'path'", 'path = "samples.npz"')
    samples = path.parent / values.pop("path")
    _require_file(samples)
    if samples.suffix != ".npz":
        raise _invalid(path, f"'path' names '{samples.name}'", "an .npz file")
    metric = values.pop("metric", None)
    return Description(path=samples, feeding=Feeding(**values), metric=metric)


def _parse(key: str, value: object, path: Path) -> Any:  # noqa: ANN401 - as many types as keys
    if key not in _PARSERS:
        raise EdgecError(
            Code.RECIPE_INVALID,
            f"unknown key '{key}'",
            where=str(path),
            hint=nearest(key, list(_PARSERS)),
        )
    parser, expected = _PARSERS[key]
    try:
        return parser(value)
    except (TypeError, ValueError) as error:
        raise _invalid(path, f"'{key}' is {value!r}", expected) from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _positive(value: object) -> float:
    number = _number(value)
    if number <= 0:
        raise ValueError
    return number


def _each(parse_one: Callable[[object], float]) -> Callable[[object], tuple[float, ...]]:
    def parse(value: object) -> tuple[float, ...]:
        values = value if isinstance(value, list) else [value]
        if not values:
            raise ValueError
        return tuple(parse_one(one) for one in values)

    return parse


def _layout(value: object) -> Layout:
    layout = Layout(value)
    if layout is Layout.NONE:
        raise ValueError
    return layout


_PARSERS: dict[str, tuple[Callable[[object], object], str]] = {
    "path": (_text, "the path of an .npz file, relative to this file"),
    "layout": (_layout, '"NHWC" or "NCHW": the order of the axes as stored'),
    "divide": (_positive, "a positive number"),
    "mean": (_each(_number), "a number, or a list with one for each channel"),
    "std": (_each(_positive), "a positive number, or a list with one for each channel"),
    "metric": (_text, 'the name of a metric, such as "top1"'),
}


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise EdgecError(
            Code.DATA_NOT_FOUND,
            f"there is no data file '{path.name}'",
            where=str(path),
            expected="an .npz file, or a .toml that names one and says how to feed it",
        )


def _invalid(path: Path, what: str, expected: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=str(path), expected=expected)
