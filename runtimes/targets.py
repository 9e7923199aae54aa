"""Target strings such as ``litert:threads=4``: a runtime's name and its session options."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError
from runtimes.protocol import LocalSession, Runtime, SessionOptions

_FOLDER = Catalog(
    "runtimes",
    shared=(
        "protocol",
        "targets",
        "isolate",
        "interleave",
        "simulator",
        "estimate",
        "estimators",
        "remote",
        "devices",
    ),
)
_SWITCH = {"true": True, "false": False}
USUAL = ("ort", "litert")
"""Part of every installation; they run a file when no target is named, before all others."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where and how to run: a runtime's target name and its options."""

    name: str
    options: SessionOptions = field(default_factory=SessionOptions)

    @property
    def runtime(self) -> Runtime:
        """The runtime's module."""
        return runtime(self.name)


def runtimes() -> dict[str, Runtime]:
    """Return every runtime by target name; none of their libraries is imported."""
    modules = (cast("Runtime", module) for module in _FOLDER.values())
    return {module.NAME: module for module in modules}


def runtime(name: str) -> Runtime:
    """Return the runtime with target *name*; ``TARGET_UNKNOWN`` names the nearest."""
    known = runtimes()
    if name not in known:
        raise EdgecError(
            Code.TARGET_UNKNOWN,
            f"there is no target '{name}'",
            expected=nearest(name, list(known)),
            hint="edgec targets lists them",
        )
    return known[name]


def runtime_for(path: Path) -> Runtime:
    """Return the runtime that takes files like *path*; ``TARGET_UNKNOWN`` when none does."""
    table = runtimes()
    known = sorted(table.values(), key=lambda module: module.NAME not in USUAL)
    for module in known:
        if path.suffix in module.SUFFIXES:
            return module
    suffixes = sorted({suffix for module in known for suffix in module.SUFFIXES})
    raise EdgecError(
        Code.TARGET_UNKNOWN,
        f"no runtime takes '{path.suffix}' files",
        where=str(path),
        expected=f"one of: {', '.join(suffixes)}",
    )


def open_session(name: str, path: Path, options: SessionOptions) -> LocalSession:
    """Load *path* in this process with the runtime of target *name*.

    Raises:
        EdgecError: ``TARGET_UNKNOWN``, ``RUNTIME_UNAVAILABLE`` (also for a broken installation),
            and those of the runtime's own ``open_session``.
    """
    module = runtime(name)
    if reason := module.available():
        raise EdgecError(Code.RUNTIME_UNAVAILABLE, reason, where=f"target '{name}'")
    try:
        return module.open_session(path, options)
    except ImportError as error:
        raise EdgecError(Code.RUNTIME_UNAVAILABLE, str(error), where=f"target '{name}'") from error


def split_targets(texts: Iterable[str]) -> tuple[str, ...]:
    """Return single targets of texts such as ``ort,litert:threads=2,sim:rk3588,cores=little``.

    A part with ``=`` and no target's name before it is an option of the target to its left.
    """
    found: list[str] = []
    for text in texts:
        for place, part in enumerate(text.split(",")):
            is_option = place > 0 and ":" not in part.partition("=")[0] and "=" in part
            if is_option:
                found[-1] += f",{part}"
            else:
                found.append(part.strip())
    return tuple(found)


def parse_target(text: str) -> Target:
    """Read ``name[:option=value,...]``.

    Raises:
        EdgecError: ``TARGET_UNKNOWN`` for the name, ``RECIPE_INVALID`` for an option.
    """
    name, *settings = text.replace(":", ",").split(",")
    module = runtime(name.strip())
    return Target(name=module.NAME, options=read_options(module.OPTIONS, settings, text))


def read_options(kind: type[SessionOptions], settings: list[str], text: str) -> SessionOptions:
    """Return the options of *kind* that *settings*, ``name=value``, state; *text* is for errors."""
    fields = [field.name for field in dataclasses.fields(kind)]
    values: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.strip().partition("=")
        if key not in fields:
            raise _invalid(f"there is no option '{key}'", nearest(key, fields), text)
        values[key] = _value(getattr(kind(), key), key, value, text)
    return kind(**values)


def _value(default: Any, key: str, value: str, text: str) -> int | bool:  # noqa: ANN401 - a field's
    """Read *value* as the type that the option has by default."""
    if isinstance(default, bool):
        if value in _SWITCH:
            return _SWITCH[value]
        raise _invalid(f"{key} is '{value}'", "true or false", text)
    if value.isdecimal() and value.isascii():
        return int(value)
    raise _invalid(f"{key} is '{value}'", "a whole number, 1 or more", text)


def _invalid(what: str, expected: str, text: str) -> EdgecError:
    return EdgecError(Code.RECIPE_INVALID, what, where=f"target '{text}'", expected=expected)
