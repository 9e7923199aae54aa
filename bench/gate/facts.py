"""What a gate decides upon: reports as they were written, read with care."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.contents import digest_of
from bench.report import SCHEMA_VERSION
from compressor.errors import Code, EdgecError

REPORT = "report.json"
_LARGEST_REPORT = 256 << 20

Tree = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything a budget may be about; values only.

    Attributes:
        report: the report of the compilation.
        baseline: the report it is held against, if there is one.
        comparisons: latency of each artifact over its baseline's, by artifact and target, as
            ``{"value": ..., "low": ..., "high": ...}`` from one interleaved run.
        estimates: what targets that are not timed here said, one entry for target and artifact:
            ``target``, ``artifact``, ``tier``, ``reason``, and where they are known ``seconds`` and
            ``joules`` (value, low, high), ``arena`` and ``flash`` (bytes).
        stale: artifacts whose file is not the one that was measured.
    """

    report: Tree
    baseline: Tree | None = None
    comparisons: Mapping[str, Mapping[str, Tree]] = field(default_factory=dict)
    estimates: Sequence[Tree] = ()
    stale: frozenset[str] = frozenset()

    def artifacts(self) -> Sequence[Tree]:
        """Return the records of artifacts."""
        return list(self.report.get("artifacts") or ())

    def estimate_of(self, artifact: Tree, target: str) -> Tree | None:
        """Return what *target* said of *artifact*, if it was asked."""
        entries = (e for e in self.estimates if e.get("target") == target)
        return next((e for e in entries if e.get("artifact") == artifact.get("name")), None)

    def baseline_of(self, artifact: Tree) -> Tree | None:
        """Return the baseline's record of the same file, if there is one."""
        records = (self.baseline or {}).get("artifacts") or ()
        return next((r for r in records if r.get("name") == artifact.get("name")), None)


def number_at(tree: Any, *path: str) -> float | None:  # noqa: ANN401 - a JSON tree
    """Return the finite number under *path* of *tree*; None when it is missing or no number."""
    for key in path:
        if not isinstance(tree, Mapping) or key not in tree:
            return None
        tree = tree[key]
    if isinstance(tree, bool) or not isinstance(tree, int | float) or not math.isfinite(tree):
        return None
    return float(tree)


def read_report(folder: Path) -> Tree:
    """Return the report in *folder*.

    Raises:
        EdgecError: ``REPORT_UNREADABLE`` when it is missing, broken or of another layout.
    """
    path = folder / REPORT
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_REPORT + 1)
        report = json.loads(text) if len(text) <= _LARGEST_REPORT else None
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, f"cannot read the report: {error}") from error
    if not isinstance(report, dict):
        raise _unreadable(path, "the report is no table, or is too long")
    if (version := report.get("schema_version")) != SCHEMA_VERSION:
        raise _unreadable(path, f"the report has layout {version}", f"layout {SCHEMA_VERSION}")
    return report


def stale_artifacts(folder: Path, report: Tree) -> frozenset[str]:
    """Return the artifacts in *folder* that are missing or not those of *report*."""
    return frozenset(
        str(record.get("name"))
        for record in report.get("artifacts") or ()
        if _digest(folder, files_of(record)) != record.get("sha256")
    )


def files_of(record: Tree) -> list[str]:
    """Return the names of an artifact's files; only names, whatever a report may say."""
    return [Path(str(name)).name for name in record.get("files") or (record.get("name"),)]


def _digest(folder: Path, names: Sequence[str]) -> str | None:
    files = [folder / name for name in names]
    return digest_of(*files) if all(file.is_file() for file in files) else None


def _unreadable(path: Path, what: str, expected: str = "") -> EdgecError:
    return EdgecError(
        Code.REPORT_UNREADABLE,
        what,
        where=str(path),
        expected=expected or "the folder that `edgec compile` wrote",
        hint="compile the model again",
    )
