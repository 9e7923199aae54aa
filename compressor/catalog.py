"""A package folder read as a lazy table: file name -> the one object that file defines."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any


class Catalog(Mapping[str, ModuleType]):
    """The modules of a package by name, imported only when asked for.

    Adding a file to the folder adds an entry; nothing has to be registered. Names that start with
    an underscore, and those in *shared* (the folder's own protocol or common types), are left out.
    """

    def __init__(self, package: str, *, shared: tuple[str, ...] = ()) -> None:
        self._package = package
        self._shared = frozenset(shared)

    def _names(self) -> list[str]:
        folder = importlib.import_module(self._package).__path__
        return sorted(
            info.name
            for info in pkgutil.iter_modules(folder)
            if not info.name.startswith("_") and info.name not in self._shared
        )

    def __getitem__(self, name: str) -> ModuleType:
        if name not in self._names():
            raise KeyError(name)
        return importlib.import_module(f"{self._package}.{name}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def joined(self, table: str) -> dict[str, Any]:
        """Return the entries of the mapping called *table* in every module of the folder."""
        return {key: entry for name in self for key, entry in getattr(self[name], table).items()}

    def __len__(self) -> int:
        return len(self._names())


def nearest(name: str, known: list[str]) -> str:
    """Return ``"did you mean 'x'?"`` for the known name closest to *name*, or the list of all."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"one of: {', '.join(sorted(known))}"
