import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from bench.gate.facts import number_at, read_report, stale_artifacts
from compressor.errors import Code, EdgecError

GOOD = {"schema_version": 1, "artifacts": []}


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"schema_version": 99}', "{}", "\xff\xfe", "[" * 100_000],
)
def test_a_broken_report_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "report.json").write_text(content, encoding="latin-1")
    with pytest.raises(EdgecError) as caught:
        read_report(tmp_path)
    assert caught.value.code is Code.REPORT_UNREADABLE
    assert "report.json" in caught.value.where


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EdgecError) as caught:
        read_report(tmp_path / "nothing")
    assert caught.value.code is Code.REPORT_UNREADABLE


def test_a_good_report_is_read(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(GOOD))
    assert read_report(tmp_path) == GOOD


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        ({"a": {"b": 2}}, 2.0),
        ({"a": {"b": None}}, None),
        ({"a": {"b": True}}, None),
        ({"a": {"b": "2"}}, None),
        ({"a": {"b": float("nan")}}, None),
        ({"a": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_only_finite_numbers_count(tree: Any, value: float | None) -> None:
    assert number_at(tree, "a", "b") == value


def test_files_that_are_not_those_measured_are_stale(tmp_path: Path) -> None:
    good, changed = tmp_path / "good.onnx", tmp_path / "changed.onnx"
    good.write_bytes(b"model")
    changed.write_bytes(b"another")
    digest = hashlib.sha256(b"model").hexdigest()
    names = ("good.onnx", "changed.onnx", "missing.onnx", "../good.onnx")
    report = {"artifacts": [{"name": name, "sha256": digest} for name in names]}
    assert stale_artifacts(tmp_path, report) == {"changed.onnx", "missing.onnx"}
