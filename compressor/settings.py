"""Settings as fields of frozen dataclasses; their command-line and TOML forms follow from these.

A field made by ``setting`` knows its place in a recipe file (``quantize.range_method``), its option
on the command line (``--range-method``) and what it means. A value is read from text or TOML by the
field's type alone: ``bool``, ``int``, ``float``, ``str``, an ``Enum``, ``tuple[str, ...]``, or a
class with a ``parse`` classmethod; ``None`` beside one of them means "not asked for".
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from compressor.catalog import nearest
from compressor.errors import Code, EdgecError

_KEY, _HELP = "key", "help"


def setting(default: Any, *, key: str, help: str) -> Any:  # noqa: A002, ANN401 - as `field` does
    """Return a dataclass field that is read from *key* of a recipe file, and from its option."""
    return dataclasses.field(default=default, metadata={_KEY: key, _HELP: help})


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One field of a class of settings.

    Attributes:
        name: the field's.
        key: table and key in a recipe file, such as ``export.to``.
        help: one sentence for people.
        kind: the type of its values, without None.
        default: its value where nothing is said.
    """

    name: str
    key: str
    help: str
    kind: Any
    default: Any

    @property
    def option(self) -> str:
        """The option on the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def is_list(self) -> bool:
        """Whether it holds several values."""
        return typing.get_origin(self.kind) is tuple

    def parse(self, given: object, where: str) -> Any:  # noqa: ANN401 - as many types as fields
        """Return *given*, text or a TOML value, as the field's type.

        Raises:
            EdgecError: ``RECIPE_INVALID``, naming *where* it was said and what was expected.
        """
        if self.is_list:
            return tuple(_words(given, where))
        if isinstance(self.kind, type) and issubclass(self.kind, Enum):
            return _member(self.kind, given, where)
        if hasattr(self.kind, "parse") and isinstance(given, str):
            return self.kind.parse(given, where)
        if self.kind is float and isinstance(given, int) and not isinstance(given, bool):
            return float(given)
        if type(given) is not self.kind:
            raise invalid(f"{given!r} is no value of this setting", where, _article(self.kind))
        return given


def settings_of(kind: type) -> tuple[Setting, ...]:
    """Return the settings of dataclass *kind*, in the order of its fields."""
    types_by_name = typing.get_type_hints(kind)
    return tuple(
        Setting(
            name=field.name,
            key=field.metadata[_KEY],
            help=field.metadata[_HELP],
            kind=_without_none(types_by_name[field.name]),
            default=field.default,
        )
        for field in dataclasses.fields(kind)
        if _KEY in field.metadata
    )


def one_of(values: Iterable[str], known: list[str], where: str) -> None:
    """Raise ``RECIPE_INVALID`` for the first of *values* that is not *known*, with the nearest."""
    for value in values:
        if value not in known:
            raise invalid(f"there is no '{value}'", where, nearest(value, known))


def invalid(what: str, where: str, expected: str) -> EdgecError:
    """Return ``RECIPE_INVALID`` about a setting."""
    return EdgecError(Code.RECIPE_INVALID, what, where=where, expected=expected)


def plain(value: Any) -> Any:  # noqa: ANN401 - a JSON tree
    """Return a setting's *value* as JSON holds it."""
    match value:
        case Enum():
            return value.value
        case tuple():
            return list(value)
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _words(given: object, where: str) -> Iterable[str]:
    """Return the words of a list, or of text with commas."""
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, list | tuple) or not all(isinstance(p, str) for p in parts):
        raise invalid(f"{given!r} is no list of names", where, 'names such as ["onnx", "tflite"]')
    return [word.strip() for word in parts if word.strip()]


def _member(kind: type[Enum], given: object, where: str) -> Enum:
    members = {str(member.value): member for member in kind}
    one_of([str(given)], list(members), where)
    return members[str(given)]


def _without_none(kind: Any) -> Any:  # noqa: ANN401 - any annotation
    if typing.get_origin(kind) not in (typing.Union, types.UnionType):
        return kind
    return next(part for part in typing.get_args(kind) if part is not types.NoneType)


def _article(kind: type) -> str:
    return {"int": "an integer", "float": "a number", "bool": "true or false"}.get(
        kind.__name__, "text"
    )
