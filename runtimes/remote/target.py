"""Target strings that name devices: ``ssh://user@host[:port]`` and ``adb:SERIAL``.

Options follow behind commas: ``ssh://pi@raspberry,threads=4,python=/opt/py/bin/python3``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from compressor.catalog import Catalog, nearest
from compressor.errors import Code, EdgecError
from runtimes.protocol import SessionOptions
from runtimes.remote.job import Device
from runtimes.targets import read_options

_FOLDER = Catalog("runtimes.remote.kinds")


class Kind(Protocol):
    """What a module of ``runtimes/remote/kinds`` defines.

    Attributes:
        PREFIX: how its target strings begin.
        FORM: what such a string looks like, for messages.
        OPTIONS: names of its own options, beside those of every session.
        RUNTIMES: targets that run there, the preferred one first.
    """

    PREFIX: str
    FORM: str
    OPTIONS: tuple[str, ...]
    RUNTIMES: tuple[str, ...]

    def available(self) -> str | None:
        """Return None when usable here, otherwise the reason and what to install."""
        ...

    def device(self, text: str, address: str, options: Mapping[str, str]) -> Device:
        """Return the device at *address*; nothing is sent yet. *text* is the whole target."""
        ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """A device, how models shall run there, and which runtimes may run them."""

    device: Device
    options: SessionOptions
    runtimes: tuple[str, ...]


def kinds() -> dict[str, Kind]:
    """Return every way to reach a device by its prefix."""
    modules = (cast("Kind", module) for module in _FOLDER.values())
    return {module.PREFIX: module for module in modules}


def is_remote(text: str) -> bool:
    """Whether the target string *text* names a device."""
    return text.strip().startswith(tuple(kinds()))


def place_at(text: str) -> Place:
    """Return the device that the target string *text* names, with options for its sessions.

    Raises:
        EdgecError: ``TARGET_UNKNOWN`` for the address, ``RECIPE_INVALID`` for an option,
            ``RUNTIME_UNAVAILABLE`` when a program is missing here.
    """
    prefix = next((prefix for prefix in kinds() if text.strip().startswith(prefix)), None)
    if prefix is None:
        forms = ", ".join(kind.FORM for kind in kinds().values())
        raise EdgecError(Code.TARGET_UNKNOWN, f"'{text}' names no device", expected=forms)
    kind = kinds()[prefix]
    if reason := kind.available():
        raise EdgecError(Code.RUNTIME_UNAVAILABLE, reason, where=f"target '{text}'")
    address, *settings = text.strip().removeprefix(prefix).split(",")
    common = [field.name for field in dataclasses.fields(SessionOptions)]
    ours = [part for part in settings if part.partition("=")[0].strip() in common]
    theirs = dict(_option(part, kind, text, common) for part in settings if part not in ours)
    return Place(
        device=kind.device(text, address, theirs),
        options=read_options(SessionOptions, ours, text),
        runtimes=kind.RUNTIMES,
    )


def _option(setting: str, kind: Kind, text: str, common: Sequence[str]) -> tuple[str, str]:
    key, _, value = setting.strip().partition("=")
    if key not in kind.OPTIONS or not value:
        what = f"there is no option '{key}'" if key not in kind.OPTIONS else f"'{key}' has no value"
        raise EdgecError(
            Code.RECIPE_INVALID,
            what,
            where=f"target '{text}'",
            expected=nearest(key, [*kind.OPTIONS, *common]),
        )
    return key, value
