from __future__ import annotations

import numpy as np
import pytest

from bench.accuracy import compare_accuracy
from bench.metric import Metric, Needs, find_metric
from compressor.errors import Code, EdgecError
from tests.tolerances import float64_sum

SAMPLES = 400
RANDOM = np.random.default_rng(0)
LABELS = RANDOM.integers(0, 5, SAMPLES)
SOURCE = np.eye(5, dtype=np.float32)[LABELS] + RANDOM.normal(0, 0.3, (SAMPLES, 5)).astype("f4")
ARTIFACT = SOURCE + RANDOM.normal(0, 0.2, SOURCE.shape).astype(np.float32)


def test_top1_counts_and_pairs() -> None:
    record = compare_accuracy(find_metric("top1"), SOURCE, ARTIFACT, LABELS)
    right = 100 * (SOURCE.argmax(1) == LABELS).mean()
    after = 100 * (ARTIFACT.argmax(1) == LABELS).mean()
    slack = float64_sum(SAMPLES) * 100
    assert record.source == pytest.approx(right, abs=slack)
    assert record.artifact == pytest.approx(after, abs=slack)
    assert record.drop is not None
    assert record.drop.value == pytest.approx(right - after, abs=slack)
    assert record.drop.low < record.drop.value < record.drop.high
    assert (record.metric, record.unit, record.drop_unit) == ("top1", "%", "pt")
    assert record.samples == SAMPLES
    assert record.agreement == 100 * (SOURCE.argmax(1) == ARTIFACT.argmax(1)).mean()


def test_pairing_narrows_the_interval() -> None:
    """Unpaired, two models of 90 % on 400 samples have a drop of +-4.2 pt; equal ones have none."""
    record = compare_accuracy(find_metric("top1"), SOURCE, SOURCE, LABELS)
    assert record.drop is not None
    assert (record.drop.low, record.drop.value, record.drop.high) == (0.0, 0.0, 0.0)
    assert (record.agreement, record.cosine, record.sqnr_db) == (100.0, 1.0, np.inf)


@pytest.mark.parametrize("name", ["auc", "f1", "top1"])
def test_a_worse_artifact_drops(name: str) -> None:
    worse = SOURCE + RANDOM.normal(0, 2.0, SOURCE.shape).astype(np.float32)
    record = compare_accuracy(find_metric(name), SOURCE, worse, LABELS)
    assert record.drop is not None
    assert record.drop.low > 0
    better = compare_accuracy(find_metric(name), worse, SOURCE, LABELS)
    assert better.drop is not None
    assert better.drop.high < 0


def test_plain_numbers_drop_in_hundredths() -> None:
    record = compare_accuracy(find_metric("auc"), SOURCE, ARTIFACT, LABELS)
    assert record.drop is not None
    assert record.drop.value == 100 * (record.source - record.artifact)
    assert record.drop_unit == "pt"


@pytest.mark.parametrize("name", ["mae", "rmse"])
def test_errors_drop_in_their_own_unit_when_they_grow(name: str) -> None:
    target = SOURCE + np.float32(1)
    record = compare_accuracy(find_metric(name), SOURCE, SOURCE - np.float32(1), target)
    assert record.drop is not None
    assert record.drop.value > 0
    assert record.drop.value == pytest.approx(
        record.artifact - record.source, abs=float64_sum(SOURCE.size)
    )
    assert record.drop_unit == ""


@pytest.mark.parametrize(("name", "best"), [("cosine", 1.0), ("agreement", 100.0)])
def test_without_labels_the_source_is_the_reference(name: str, best: float) -> None:
    record = compare_accuracy(find_metric(name), SOURCE, ARTIFACT, None)
    assert record.source == best
    assert record.drop is not None
    assert record.drop.value > 0


def test_infinite_source_has_no_drop() -> None:
    record = compare_accuracy(find_metric("sqnr"), SOURCE, ARTIFACT, None)
    assert record.source == np.inf
    assert record.drop is None
    assert 0 < record.artifact < 40


def test_draws_without_a_class_are_left_out() -> None:
    """Of three samples, every third draw has one class only, and AUC is not defined on it."""
    labels = np.array([0, 1, 1])
    outputs = np.array([[0.1], [0.9], [0.4]])
    record = compare_accuracy(find_metric("auc"), outputs, outputs, labels)
    assert record.drop is not None
    assert (record.drop.low, record.drop.high) == (0.0, 0.0)
    assert record.agreement is None


def test_a_users_own_metric_serves() -> None:
    own = Metric(
        name="metrics.py:mean",
        unit="",
        needs=Needs.LABELS,
        evaluate=lambda outputs, _: float(outputs.mean(dtype=np.float64)),
    )
    record = compare_accuracy(own, SOURCE, SOURCE.astype(np.float64) + 1, LABELS)
    assert record.drop is not None
    assert record.drop.value == pytest.approx(-1, abs=float64_sum(SOURCE.size))


@pytest.mark.parametrize(
    "labels", [None, LABELS[:-1], np.array(3), LABELS + 1, LABELS - 1, LABELS + 0.5]
)
def test_labels_that_do_not_fit(labels: np.ndarray | None) -> None:
    with pytest.raises(EdgecError) as caught:
        compare_accuracy(find_metric("top1"), SOURCE, ARTIFACT, labels)
    assert caught.value.code is Code.DATA_LABELS


@pytest.mark.parametrize("artifact", [SOURCE[:, :4], SOURCE[:-1], np.full_like(SOURCE, np.nan)])
def test_outputs_that_are_none(artifact: np.ndarray) -> None:
    with pytest.raises(EdgecError) as caught:
        compare_accuracy(find_metric("top1"), SOURCE, artifact, LABELS)
    assert caught.value.code is Code.ARTIFACT_MISMATCH
