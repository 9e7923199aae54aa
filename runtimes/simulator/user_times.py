"""A user's own measurements: a CSV of models and their milliseconds."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.simulator.graph import read_graph, works_of
from runtimes.simulator.work import Work

_MAX_ROWS = 10_000


@dataclass(frozen=True, kw_only=True)
class UserTimes:
    """Times by model, with what the models do.

    Attributes:
        ms: milliseconds by model, as the table names it; works: the operators of each.
    """

    ms: dict[str, float]
    works: dict[str, list[Work]]


def read_user_times(path: Path) -> UserTimes:
    """Read columns ``model`` (a file, relative to the table's folder) and ``latency_ms``.

    Raises:
        EdgecError: ``DATA_NOT_FOUND``, ``DATA_UNREADABLE`` with the line, or a 2xx code that says
            what is wrong with a model.
    """
    if not path.is_file():
        raise EdgecError(Code.DATA_NOT_FOUND, "there is no such table", where=str(path))
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        for column in ("model", "latency_ms"):
            if column not in (reader.fieldnames or ()):
                raise _unreadable(path, 1, f"there is no column '{column}'")
        rows = [(row["model"], row["latency_ms"]) for row in islice(reader, _MAX_ROWS)]
    found = UserTimes(ms={}, works={})
    for line, (model, text) in enumerate(rows, start=2):
        found.ms[model] = _milliseconds(path, line, text)
        found.works[model] = works_of(read_graph(path.parent / model))
    return found


def _milliseconds(path: Path, line: int, text: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError) as error:
        raise _unreadable(path, line, f"latency_ms is {text!r}") from error
    if not (math.isfinite(value) and value > 0):
        raise _unreadable(path, line, f"latency_ms is {text}")
    return value


def _unreadable(path: Path, line: int, what: str) -> EdgecError:
    return EdgecError(
        Code.DATA_UNREADABLE,
        what,
        where=f"{path}, line {line}",
        expected="a CSV with columns model and latency_ms (milliseconds)",
    )
