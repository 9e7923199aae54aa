# ruff: noqa: E501 (declarations of a graph are one line)
"""Detectors end to end: boxes decoded, selected and looked up, as many as there are."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest

from exporters import tflite
from runtimes.isolate import Worker
from tests.exporters.tflite.fake_quant import run_onnx
from tests.exporters.tflite.harness import (
    OPTIONS,
    LiteRt,
    operators,
    parse,
    with_random_constants,
)
from tests.tolerances import float32_network

BOXES = 60

# Anchors decoded, scores by class, suppression, and rows looked up by integer index arithmetic.
DETECTOR = """g (float[1,60,4] x, float[1,{classes},60] x_s) =>
(float[K,4] boxes, float[K] scores, int64[K] labels)
<int64 most={{8}}, float overlap={{0.4}}, float least={{0.75}}, float[4] scale={{0.1,0.1,0.2,0.2}},
 int64[1] zero={{0}}, int64[1] one={{1}}, int64[1] two={{2}}, int64[1] three={{3}}, int64[1] axis={{1}},
 int64[1] flat={{-1}}, int64[2] table={{-1,4}}, int64[2] line={{-1,1}}, int64 count={{60}}>
{{
  corners = Mul(x, scale)
  probability = Sigmoid(x_s)
  found = NonMaxSuppression{form}(corners, probability, most, overlap, least)
  image_column = Slice(found, zero, one, axis)
  label_column = Slice(found, one, two, axis)
  box_column = Slice(found, two, three, axis)
  labels = Reshape(label_column, flat)
  place = Reshape(box_column, flat)
  all_boxes = Reshape(corners, table)
  boxes = Gather(all_boxes, place)
  of_class = Mul(labels, count)
  flat_place = Add(of_class, place)
  all_scores = Reshape(probability, flat)
  scores = Gather(all_scores, flat_place)
}}"""


def detector(classes: int, form: str = "") -> ir.Model:
    return parse(DETECTOR.format(classes=classes, form=form))


def feeds(classes: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    boxes = rng.uniform(0, 3, (1, BOXES, 4)).astype(np.float32)
    return {"x": boxes, "x_s": rng.normal(size=(1, classes, BOXES)).astype(np.float32)}


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("form", ["", "<center_point_box=1>"])
def test_detector(classes: int, form: str, litert: LiteRt) -> None:
    model = detector(classes, form)
    data = tflite.write(model, OPTIONS)
    assert operators(data).count("NON_MAX_SUPPRESSION_V4") == classes
    counts = set()
    for seed in range(4):
        case = feeds(classes, seed)
        want, have = run_onnx(model, case), litert(data, case)
        assert set(have) == {"boxes", "scores", "labels"}
        counts.add(len(want["scores"]))
        for name, expected in want.items():
            assert have[name].shape == expected.shape
            tolerance = float32_network(layers=3, terms=1)
            np.testing.assert_allclose(have[name], expected, rtol=0, atol=tolerance)
    assert len(counts) > 1 or classes == 1


def test_no_detection_at_all(tmp_path: Path) -> None:
    data = tflite.write(detector(2), OPTIONS)
    case = feeds(2, 0) | {"x_s": np.full((1, 2, BOXES), -9, np.float32)}
    path = tmp_path / "detector.tflite"
    path.write_bytes(data)
    with Worker() as worker:
        found = worker.open("litert", path).run(case)
    assert {name: array.shape for name, array in found.items()} == {
        "boxes": (0, 4),
        "scores": (0,),
        "labels": (0,),
    }


# The graph of a hand or face detector: a network, anchors, distances decoded, the best one refined.
LANDMARKS = """g (float[1,3,16,16] x, float[6,3,3,3] w, float[12,6,1,1] v) => (float[1,4] box, float[1] score)
<int64[3] rows={1,128,6}, int64[2] cut={4,2}, int64[1] last={-1}, int64[1] zero={0}, int64[1] one={1},
 float[1,128,4] anchors, float low={-10.0}, float high={10.0}, int64[2] line={1,4}, int64[1] flat={-1}>
{
  features = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w)
  active = Relu(features)
  raw = Conv(active, v)
  moved = Transpose<perm=[0,2,3,1]>(raw)
  table = Reshape(moved, rows)
  offsets, logits = Split<axis=2>(table, cut)
  boxes = Add(offsets, anchors)
  clipped = Clip(logits, low, high)
  chances = Sigmoid(clipped)
  best_of_both = ReduceMax<keepdims=0>(chances, last)
  place = ArgMax<axis=1, keepdims=1>(best_of_both)
  flat_place = Reshape(place, flat)
  score_row = Gather<axis=1>(best_of_both, flat_place)
  score = Reshape(score_row, flat)
  box_row = Gather<axis=1>(boxes, flat_place)
  box = Reshape(box_row, line)
}"""


def test_landmark_detector(litert: LiteRt) -> None:
    text = LANDMARKS.replace(", float[1,128,4] anchors, float low", ", float low")
    text = text.replace("float[12,6,1,1] v)", "float[12,6,1,1] v, float[1,128,4] anchors)")
    model = with_random_constants(parse(text))
    rng = np.random.default_rng(0)
    case = {"x": rng.uniform(-3, 3, (1, 3, 16, 16)).astype(np.float32)}
    data = tflite.write(model, OPTIONS)
    assert operators(data).count("TRANSPOSE") == 1  # the image arrives channels first
    assert "FLOOR_MOD" not in operators(data)
    want, have = run_onnx(model, case), litert(data, case)
    for name, expected in want.items():
        np.testing.assert_allclose(
            have[name], expected, rtol=0, atol=float32_network(layers=4, terms=54)
        )


def test_operators_that_mix_rows_are_refused() -> None:
    text = """g (float[1,60,4] x, float[1,1,60] x_s) => (int64[1,3] y)
    <int64 most={8}, int64[1] axis={0}>
    { found = NonMaxSuppression(x, x_s, most) y = ReduceMax(found, axis) }"""
    (refusal,) = tflite.check(parse(text), OPTIONS)
    assert refusal.op_type == "ReduceMax"
    assert "mixes rows" in refusal.reason


def test_a_length_that_is_not_known_is_not_folded() -> None:
    text = """g (float[1,60,4] x, float[1,1,60] x_s) => (int64[2] y) <int64 most={8}>
    { found = NonMaxSuppression(x, x_s, most) y = Shape(found) }"""
    assert [refusal.op_type for refusal in tflite.check(parse(text), OPTIONS)] == ["Shape"]
