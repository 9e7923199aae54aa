"""The ``.toml`` that says where samples lie, how to feed them and how to judge the answers."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compressor.catalog import nearest
from compressor.data.images import COLORS, INTERPOLATIONS, Decoding
from compressor.data.user_code import is_code, split
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Layout

MAX_TOML_BYTES = 1 << 20
_LONGEST_SIDE = 1 << 14
_DECODING = ("resize", "crop", "color", "interpolation")
_EXPECTED = "an .npz file, a folder of images, or file.py:function"


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
    """The content of a data description.

    Attributes:
        path: an ``.npz`` file, a folder of images, or ``file.py:function``.
        feeding: how samples become what the model takes.
        decoding: how images become samples.
        metric: name of a metric, or ``file.py:function``.
    """

    path: Path
    feeding: Feeding
    decoding: Decoding = field(default_factory=Decoding)
    metric: str | None = None

    @property
    def file(self) -> Path:
        """The file or folder that *path* names, without the function."""
        return split(self.path)[0] if is_code(self.path) else self.path


def read_description(path: Path) -> Description:
    """Read a ``.toml`` data description, or take anything else as one without settings.

    Raises:
        EdgecError: ``DATA_NOT_FOUND``, ``DATA_UNREADABLE``, or ``RECIPE_INVALID`` for an unknown
            key or a value of the wrong type.
    """
    _require_data(path)
    if path.suffix == ".toml":
        return description_of(_load(path), path)
    if not _is_data(path):
        raise EdgecError(
            Code.DATA_UNREADABLE,
            f"'{path.name}' is not a form of data that edgec reads",
            where=str(path),
            expected=_EXPECTED,
        )
    return Description(path=path, feeding=_feeding_of(path, {}))


def _is_data(path: Path) -> bool:
    return path.suffix == ".npz" or path.is_dir() or is_code(path)


def _feeding_of(path: Path, settings: Mapping[str, Any]) -> Feeding:
    """Images have their channels last, unless the description says otherwise."""
    layout = Layout.NHWC if path.is_dir() else None
    return Feeding(**{"layout": layout, **settings})


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


def description_of(settings: Mapping[str, Any], path: Path) -> Description:
    """Return the description that *settings*, keys of the file *path*, make.

    Raises:
        EdgecError: as ``read_description``.
    """
    values: dict[str, Any] = {key: _parse(key, value, path) for key, value in settings.items()}
    if "path" not in values:
        raise _invalid(path, "the data description lacks 'path'", 'path = "samples.npz"')
    samples = path.parent / values.pop("path")
    _require_data(samples)
    if not _is_data(samples):
        raise _invalid(path, f"'path' names '{samples.name}'", _EXPECTED)
    metric = values.pop("metric", None)
    if metric is not None and is_code(metric):
        metric = str(path.parent / metric)
    decoding = {key: values.pop(key) for key in _DECODING if key in values}
    if decoding and not samples.is_dir():
        first = next(iter(decoding))
        raise _invalid(path, f"'{first}' is for images", "'path' to be a folder of images")
    return Description(
        path=samples,
        feeding=_feeding_of(samples, values),
        decoding=Decoding(**decoding),
        metric=metric,
    )


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


def _pixels(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not 0 < value <= _LONGEST_SIDE:
        raise ValueError
    return value


def _size(value: object) -> tuple[int, int]:
    """Read height and width, or one number for both."""
    sides = value if isinstance(value, list) else [value, value]
    height, width = (_pixels(side) for side in sides)
    return height, width


def _shorter_side_or_size(value: object) -> int | tuple[int, int]:
    return _size(value) if isinstance(value, list) else _pixels(value)


def _one_of(names: Container[object]) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in names:
            raise ValueError
        return str(value)

    return parse


def _layout(value: object) -> Layout:
    layout = Layout(value)
    if layout is Layout.NONE:
        raise ValueError
    return layout


_PARSERS: dict[str, tuple[Callable[[object], object], str]] = {
    "path": (_text, "an .npz file, a folder of images, or file.py:function, from this file on"),
    "resize": (_shorter_side_or_size, "pixels of the shorter side, or [height, width]"),
    "crop": (_size, "pixels of each side, or [height, width]"),
    "color": (_one_of(COLORS), "one of: " + ", ".join(COLORS)),
    "interpolation": (_one_of(INTERPOLATIONS), "one of: " + ", ".join(INTERPOLATIONS)),
    "layout": (_layout, '"NHWC" or "NCHW": the order of the axes as stored'),
    "divide": (_positive, "a positive number"),
    "mean": (_each(_number), "a number, or a list with one for each channel"),
    "std": (_each(_positive), "a positive number, or a list with one for each channel"),
    "metric": (_text, 'the name of a metric, such as "top1", or "file.py:function"'),
}


def _require_data(path: Path) -> None:
    file = split(path)[0] if is_code(path) else path
    if not file.exists():
        raise EdgecError(
            Code.DATA_NOT_FOUND,
            f"there is no data file '{file.name}'",
            where=str(path),
            expected=f"{_EXPECTED}, or a .toml that names one and says how to feed it",
        )


def _invalid(path: Path, what: str, expected: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=str(path), expected=expected)
