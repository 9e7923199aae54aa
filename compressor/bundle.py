"""A zip for a bug report: what was done and how it went, and nothing of the user's unless asked.

Only what is listed here goes in. Names of files, nodes and tensors, weights, samples and labels are
the user's; operators, shapes, settings, versions, times and counts are not.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.gate.facts import REPORT, Tree, files_of, read_report
from bench.report import report_text
from compressor.doctor import diagnose
from compressor.files import write_atomically

_EPOCH = (1980, 1, 1, 0, 0, 0)  # no times of files: the same folder gives the same bundle
_SECTIONS = ("schema_version", "environment", "as_read")
_RECORD = ("runtime", "size", "operators", "opset", "weight_bytes", "delegated", "ratio", "memory")
_LAYER = ("op_type", "output", "macs", "parameters", "weight_bytes", "precision")
_NAMES = ("keep_float",)  # settings that hold the user's own names


def write_bundle(folder: Path, output: Path, *, model: bool = False) -> Sequence[str]:
    """Write the bundle of the compiled *folder* to *output*, and return the names inside it.

    With *model*, the artifacts and the whole report go in as well.

    Raises:
        EdgecError: ``REPORT_UNREADABLE`` when *folder* has no usable report.
    """
    report = read_report(folder)
    entries = {
        "summary.json": report_text(summary_of(report)).encode(),
        "doctor.json": _doctor(),
    }
    if model:
        entries |= dict(_own_files(folder, report))
    write_atomically(output, _zip(entries))
    return sorted(entries)


def summary_of(report: Tree) -> dict[str, Any]:
    """Return what of *report* is not the user's."""
    recipe = {k: v for k, v in (report.get("recipe") or {}).items() if k not in _NAMES}
    return {
        **_chosen(report, _SECTIONS),
        "recipe": recipe,
        "quantization": _quantization(report.get("quantization") or {}),
        "artifacts": [
            {**_chosen(record, _RECORD), "accuracy": _accuracy(record.get("accuracy") or {})}
            for record in report.get("artifacts") or ()
        ],
        "layers": [_chosen(layer, _LAYER) for layer in report.get("layers") or ()],
        "ledger": [_pass(entry) for entry in report.get("ledger") or ()],
    }


def _chosen(tree: Tree, keys: Sequence[str]) -> dict[str, Any]:
    return {key: tree[key] for key in keys if key in tree}


def _quantization(tree: Tree) -> dict[str, Any]:
    kept = tree.get("kept_float") or ()
    return {
        **_chosen(tree, ("integer_macs", "integer_weights")),
        "kept_float": [_chosen(node, ("op_type", "reason")) for node in kept],
    }


def _accuracy(tree: Tree) -> dict[str, Any]:
    return _chosen(tree, ("metric", "samples", "drop", "agreement", "cosine", "sqnr_db"))


def _pass(entry: Tree) -> dict[str, Any]:
    known = ("pass", "seconds", "changes", "nodes", "macs", "weight_bytes", "change")
    return {**_chosen(entry, known), "skipped": len(entry.get("skipped") or ())}


def _doctor() -> bytes:
    checks = [{"topic": c.topic, "found": c.found, "good": c.good} for c in diagnose()]
    return (json.dumps(checks, indent=1) + "\n").encode()


def _own_files(folder: Path, report: Tree) -> Iterator[tuple[str, bytes]]:
    names = [name for record in report.get("artifacts") or () for name in files_of(record)]
    for name in (REPORT, *names):
        if (folder / name).is_file():
            yield f"out/{name}", (folder / name).read_bytes()


def _zip(entries: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(entries.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
