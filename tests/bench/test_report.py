from __future__ import annotations

import json
import math

import pytest

from bench.environment import environment
from bench.records import Accuracy, ArtifactRecord, Interval, Size, SourceRecord
from bench.report import SCHEMA_VERSION, report_json, report_text

SIZE = Size(file_bytes=10, gzip_bytes=8)
SOURCE = SourceRecord(name="model.onnx", size=SIZE)
ACCURACY = Accuracy(
    metric="top1",
    unit="%",
    samples=4,
    source=75.0,
    artifact=75.0,
    drop=Interval(value=0.0, low=-1.0, high=1.0),
    drop_unit="pt",
    agreement=100.0,
    cosine=1.0,
    sqnr_db=math.inf,
)
ARTIFACT = ArtifactRecord(name="model.tflite", runtime="litert", size=SIZE, accuracy=ACCURACY)


def test_layout() -> None:
    report = report_json(SOURCE, [ARTIFACT], environment(), {"recipe": {"quantize": "int8"}})
    assert list(report) == ["schema_version", "source", "artifacts", "environment", "recipe"]
    assert report["schema_version"] == SCHEMA_VERSION
    assert report["artifacts"][0]["accuracy"]["drop"]["low"] == -1.0
    assert report["artifacts"][0]["accuracy"]["sqnr_db"] is None
    assert report["artifacts"][0]["latency"] is None


def test_text_is_json_and_repeats() -> None:
    report = report_json(SOURCE, [ARTIFACT], environment(), {"times": [1, 2, 3], "empty": {}})
    text = report_text(report)
    assert json.loads(text) == report
    assert text == report_text(report)
    assert '"times": [1, 2, 3]' in text
    assert text.endswith("}\n")


def test_sections_may_not_collide() -> None:
    with pytest.raises(ValueError, match="source"):
        report_json(SOURCE, [], environment(), {"source": "mine"})
