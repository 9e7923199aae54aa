"""What users are told about a finished compilation."""

from __future__ import annotations

import dataclasses

from bench.records import (
    Accuracy,
    ArtifactRecord,
    Interval,
    LatencyRatio,
    Size,
    Verdict,
)
from compressor.artifact import QuantizationSummary
from compressor.recipe import Recipe, Scheme
from compressor.remarks import remarks

SUMMARY = QuantizationSummary(
    integer_macs=0.9,
    integer_weights=0.98,
    kept_float=tuple((f"norm{i}", "LayerNormalization", "computes in float") for i in range(6)),
)
ACCURACY = Accuracy(
    metric="top1",
    unit="%",
    samples=1000,
    source=90.0,
    artifact=88.0,
    drop=Interval(value=2.0, low=1.0, high=3.0),
    drop_unit="pt",
    agreement=95.0,
    cosine=0.99,
    sqnr_db=20.0,
)
RATIO = LatencyRatio(
    baseline="float",
    ratio=Interval(value=1.5, low=1.4, high=1.6),
    verdict=Verdict.STABLE,
    rounds=50,
)
ARTIFACT = ArtifactRecord(
    name="model.onnx", runtime="ort", size=Size(file_bytes=1, gzip_bytes=1), accuracy=ACCURACY
)


def test_float_parts_are_named_by_reason_and_not_endlessly() -> None:
    share, parts = remarks([], SUMMARY, Recipe())
    assert share.startswith("90.0% of the MACs are integer, 98.0% of the weights")
    assert parts.startswith("in float: norm0 (LayerNormalization), norm1")
    assert "and 2 more: computes in float" in parts


def test_only_int8_speaks_of_integers() -> None:
    assert not list(remarks([], SUMMARY, Recipe(quantize=Scheme.FP16)))


def test_a_drop_counts_when_it_is_large_and_no_chance() -> None:
    assert any("loses 2.00 pt of top1" in text for text in remarks([ARTIFACT], SUMMARY, Recipe()))
    chance = dataclasses.replace(ACCURACY, drop=Interval(value=2.0, low=-0.5, high=4.0))
    artifact = dataclasses.replace(ARTIFACT, accuracy=chance)
    assert not any("loses" in text for text in remarks([artifact], SUMMARY, Recipe()))


def test_outputs_unlike_the_source_are_said() -> None:
    unlike = dataclasses.replace(ACCURACY, sqnr_db=3.0)
    artifact = dataclasses.replace(ARTIFACT, accuracy=unlike)
    said = list(remarks([artifact], SUMMARY, Recipe()))
    assert any("unlike the source (SQNR 3.0 dB)" in text for text in said)
    assert not any("unlike" in t for t in remarks([ARTIFACT], SUMMARY, Recipe()))


def test_slower_than_float_and_noise_are_said() -> None:
    slow = dataclasses.replace(ARTIFACT, accuracy=None, ratio=RATIO)
    assert any("slower than float in ort: 1.50x" in t for t in remarks([slow], SUMMARY, Recipe()))
    noisy = dataclasses.replace(RATIO, verdict=Verdict.NOISY)
    said = list(remarks([dataclasses.replace(slow, ratio=noisy)], SUMMARY, Recipe()))
    assert any("too noisy" in text for text in said)
