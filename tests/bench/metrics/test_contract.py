"""What holds for every metric in the folder."""

from __future__ import annotations

import numpy as np
import pytest

from bench.metric import Metric, Needs, find_metric, metric_names
from compressor.errors import Code, EdgecError
from tests.tolerances import float64_sum

RANDOM = np.random.default_rng(0)
SAMPLES = 60
SCORES = RANDOM.normal(size=(SAMPLES, 8)).astype(np.float32)
CLASSES = RANDOM.integers(0, 8, SAMPLES)
ORDER = RANDOM.permutation(SAMPLES)


@pytest.fixture(params=metric_names())
def metric(request: pytest.FixtureRequest) -> Metric:
    return find_metric(request.param)


def _detections() -> tuple[np.ndarray, np.ndarray]:
    corners = RANDOM.random((SAMPLES, 3, 2))
    boxes = np.concatenate([corners, corners + 0.2 + RANDOM.random((SAMPLES, 3, 2))], axis=2)
    classes = RANDOM.integers(0, 2, (SAMPLES, 3, 1))
    moved = boxes + RANDOM.normal(0, 0.05, boxes.shape)
    found = np.concatenate([moved, RANDOM.random((SAMPLES, 3, 1)), classes], axis=2)
    return found, np.concatenate([classes, boxes], axis=2)


def _example(metric: Metric) -> tuple[np.ndarray, np.ndarray]:
    """Outputs and what they are held against, in a form that the metric takes."""
    if metric.name == "miou":
        return RANDOM.normal(size=(SAMPLES, 3, 4, 4)), RANDOM.integers(0, 3, (SAMPLES, 4, 4))
    if metric.name == "wer":
        return RANDOM.integers(-1, 5, (SAMPLES, 6)), RANDOM.integers(0, 5, (SAMPLES, 5))
    if metric.name == "map50":
        return _detections()
    if metric.name == "spearman":
        return SCORES[:, :1], SCORES[:, 1]
    if metric.needs is Needs.REFERENCE or metric.name in {"mae", "rmse"}:
        return SCORES, SCORES + RANDOM.normal(size=SCORES.shape)
    return SCORES, CLASSES


def _perfect(metric: Metric, target: np.ndarray) -> np.ndarray:
    """Outputs that *target* asks for."""
    if metric.name == "wer":
        return target
    if metric.name == "map50":
        certain = np.ones((*target.shape[:2], 1))
        return np.concatenate([target[..., 1:], certain, target[..., :1]], axis=2)
    if target.dtype.kind == "i":
        return np.moveaxis(np.eye(8)[target], -1, 1)
    return target.reshape(SAMPLES, -1)


def test_is_named_for_its_file(metric: Metric, request: pytest.FixtureRequest) -> None:
    assert metric.name in request.node.name


def test_order_of_samples_does_not_matter(metric: Metric) -> None:
    outputs, target = _example(metric)
    value = metric.evaluate(outputs, target)
    assert np.isfinite(value)
    slack = float64_sum(SCORES.size) * max(1, abs(value))
    assert metric.evaluate(outputs[ORDER], target[ORDER]) == pytest.approx(value, abs=slack)


def test_scores_average_to_the_number(metric: Metric) -> None:
    outputs, target = _example(metric)
    if metric.scores is not None:
        scores = metric.scores(outputs, target)
        assert scores.shape == (SAMPLES,)
        assert scores.mean() == metric.evaluate(outputs, target)


def test_inputs_are_left_alone(metric: Metric) -> None:
    outputs, target = (array.copy() for array in _example(metric))
    before = outputs.copy(), target.copy()
    metric.evaluate(outputs, target)
    assert np.array_equal(outputs, before[0])
    assert np.array_equal(target, before[1])


def test_extra_axes_of_one_do_not_matter(metric: Metric) -> None:
    if metric.name in {"miou", "map50", "wer"}:
        pytest.skip("every axis of its outputs means something")
    outputs, target = _example(metric)
    assert metric.evaluate(outputs[..., None, None], target) == metric.evaluate(outputs, target)


def test_better_is_in_the_stated_direction(metric: Metric) -> None:
    """Perfect outputs beat others."""
    outputs, target = _example(metric)
    perfect = _perfect(metric, target)
    best, other = metric.evaluate(perfect, target), metric.evaluate(outputs, target)
    assert best > other if metric.higher_is_better else best < other


def test_no_samples_are_an_error(metric: Metric) -> None:
    outputs, target = _example(metric)
    with pytest.raises(EdgecError) as caught:
        metric.evaluate(outputs[:0], target[:0])
    assert caught.value.code is Code.DATA_EMPTY


@pytest.mark.parametrize("bad", ["fewer", "text"])
def test_targets_that_do_not_fit(metric: Metric, bad: str) -> None:
    outputs, target = _example(metric)
    with pytest.raises(EdgecError) as caught:
        metric.evaluate(outputs, target[:-1] if bad == "fewer" else target.astype("U8"))
    assert caught.value.code is Code.DATA_LABELS
