"""Benchmarks kept as JSON lines, one run a line, the newest last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from compressor.errors import Code, EdgecError

MAX_BYTES = 1 << 30


def append(path: Path, run: Mapping[str, Any]) -> None:
    """Add *run* to the history at *path*, which is made when it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(run, separators=(",", ":")) + "\n")


def latest(path: Path) -> Mapping[str, Any]:
    """Return the newest run at *path*: a history, or the JSON of one run.

    Raises:
        EdgecError: ``DATA_NOT_FOUND``, or ``DATA_UNREADABLE`` for what is no benchmark.
    """
    if not path.is_file():
        raise EdgecError(Code.DATA_NOT_FOUND, "there is no earlier benchmark", where=str(path))
    if path.stat().st_size > MAX_BYTES:
        raise _unreadable(path, f"it is larger than {MAX_BYTES >> 20} MiB")
    text = path.read_text(encoding="utf-8").strip()
    try:
        run = json.loads(text) if text.startswith("{\n") else json.loads(text.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(run, dict) or not isinstance(run.get("cells"), list):
        raise _unreadable(path, "it holds no list of cells")
    return run


def _unreadable(path: Path, why: str) -> EdgecError:
    return EdgecError(
        Code.DATA_UNREADABLE,
        f"this is no benchmark: {why}",
        where=str(path),
        expected="the output of edgec bench --json, or a file written by --history",
    )
