"""``report.json``: every number of a run, in a layout that scripts can rely on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bench.records import ArtifactRecord, Environment, SourceRecord

SCHEMA_VERSION = 1
"""Raised when a key is removed or changes its meaning; new keys do not raise it."""


def report_json(
    source: SourceRecord,
    artifacts: Sequence[ArtifactRecord],
    environment: Environment,
    metadata: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the report's tree; *metadata* adds sections of the caller's (recipe, ledger).

    Numbers that are not finite become null. Apart from times, the same run gives the same tree.

    Raises:
        ValueError: a section of *metadata* has the name of one of ours.
    """
    report = {
        "schema_version": SCHEMA_VERSION,
        "source": source.to_json(),
        "artifacts": [artifact.to_json() for artifact in artifacts],
        "environment": environment.to_json(),
    }
    if taken := report.keys() & metadata.keys():
        raise ValueError(f"sections {sorted(taken)} are the report's own")
    return report | dict(metadata)


def report_text(report: Mapping[str, Any]) -> str:
    """Return *report* as JSON text: two spaces a level, lists of plain numbers on one line."""
    return _text(report, "") + "\n"


def _text(value: Any, indent: str) -> str:  # noqa: ANN401 - a JSON tree
    inner = indent + "  "
    match value:
        case Mapping() if value:
            rows = [f"{inner}{json.dumps(str(k))}: {_text(v, inner)}" for k, v in value.items()]
            return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
        case list() | tuple() if any(isinstance(item, Mapping | list | tuple) for item in value):
            rows = [inner + _text(item, inner) for item in value]
            return "[\n" + ",\n".join(rows) + f"\n{indent}]"
        case _:
            return json.dumps(value, allow_nan=False, ensure_ascii=False)
