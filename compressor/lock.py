"""``edgec.lock``: what a compilation was made of and what it gave, so that it can be made again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compressor.errors import Code, EdgecError
from compressor.files import write_atomically
from compressor.recipe import MEASURING

SUFFIX = ".lock"

_VERSION = 1
_MOST_BYTES = 1 << 20

Tree = Mapping[str, Any]


def lock_of(report: Tree) -> dict[str, Any]:
    """Return the lock of the compilation that *report* is about: hashes, settings and versions."""
    recipe = {k: v for k, v in report["recipe"].items() if k not in MEASURING}
    data = report.get("data")
    return {
        "lock_version": _VERSION,
        "model": report["model"]["fingerprint"],
        "data": None if data is None else data["sha256"],
        "recipe": recipe,
        "tools": dict(report["environment"]["versions"]),
        "artifacts": {record["name"]: record["sha256"] for record in report["artifacts"]},
    }


def write_lock(path: Path, report: Tree) -> None:
    """Write the lock of *report* to *path*, whole or not at all."""
    text = json.dumps(lock_of(report), indent=2, sort_keys=True) + "\n"
    write_atomically(path, text.encode())


def read_lock(path: Path) -> Tree:
    """Return the lock at *path*.

    Raises:
        EdgecError: ``LOCK_MISMATCH`` when it is missing, broken or of another layout.
    """
    try:
        with path.open("rb") as file:
            lock = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise _mismatch(f"cannot read the lock: {error}", path) from error
    if not isinstance(lock, dict) or lock.get("lock_version") != _VERSION:
        raise _mismatch("the lock has another layout", path)
    return lock


def check_lock(lock: Tree, report: Tree, path: Path) -> None:
    """Raise ``LOCK_MISMATCH``, naming what differs, unless *report* is what *lock* says."""
    differences = list(_differences(lock, lock_of(report)))
    if differences:
        what, before, now = differences[0]
        more = f", and {len(differences) - 1} more" if len(differences) > 1 else ""
        raise _mismatch(f"{what} is {now}{more}", path, expected=f"{before}, as locked")


def _differences(lock: Tree, found: Tree, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield name, locked and found value of whatever differs; causes come before effects."""
    order = [key for key in ("tools", "recipe", "model", "data", "artifacts") if key in found]
    keys = order or sorted({*lock, *found})
    for key in keys:
        before, now = lock.get(key), found.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            yield from _differences(before, now, f"{name}{key} ")
        elif before != now:
            yield f"{name}{key}", before, now


def _mismatch(what: str, path: Path, expected: str = "") -> EdgecError:
    return EdgecError(
        Code.LOCK_MISMATCH,
        what,
        where=str(path),
        expected=expected,
        hint="compile without --locked to write a new lock, and look at what changed",
    )
