"""The whole bench step on published models whose accuracy is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench.accuracy import compare_accuracy
from bench.latency import Entry, LatencyOptions, compare, time_models
from bench.metric import find_metric
from runtimes.isolate import Worker


@pytest.fixture(scope="module")
def images(shared_data: Path) -> tuple[np.ndarray, np.ndarray]:
    """CIFAR-10 as float 0..255 NHWC, and its labels."""
    data = np.load(shared_data / "sets" / "cifar10_exact_uint8_nhwc.npz")
    return data["x"].astype(np.float32), data["y"]


@pytest.fixture
def resnet8(shared_data: Path) -> Path:
    return shared_data / "models" / "mlperf_resnet8_cifar10"


def test_resnet8_has_its_published_accuracy(
    resnet8: Path, images: tuple[np.ndarray, np.ndarray]
) -> None:
    """87.71 % as float in both runtimes, 87.47 % as the vendor's int8 file, of 846 images."""
    x, labels = images
    with Worker() as worker:
        onnx = worker.open("ort", resnet8 / "model.onnx")
        source = onnx.run_many({"t0_c": x.transpose(0, 3, 1, 2)})["t37"]
        tflite = worker.open("litert", resnet8 / "model_float.tflite")
        twin = tflite.run_many({"input_1": x})["Identity"]
        int8 = worker.open("litert", resnet8 / "reference_int8.tflite")
        feeds = {"input_1_int8": (x - 128).astype(np.int8)}
        integers = int8.run_many(feeds)["Identity_int8"]
    top1 = find_metric("top1")
    same = compare_accuracy(top1, source, twin, labels)
    assert (round(same.source, 2), round(same.artifact, 2)) == (87.71, 87.71)
    assert same.agreement == 100.0
    quantized = compare_accuracy(top1, source, (integers + 128.0) / 256, labels)
    assert round(quantized.artifact, 2) == 87.47
    assert quantized.drop is not None
    assert quantized.drop.low < 0.24 < quantized.drop.high


def test_int8_is_faster_than_float(resnet8: Path, images: tuple[np.ndarray, np.ndarray]) -> None:
    x, _ = images
    with Worker() as worker:
        entries = [
            Entry(
                label="float",
                session=worker.open("litert", resnet8 / "model_float.tflite"),
                feeds={"input_1": x[:1]},
            ),
            Entry(
                label="int8",
                session=worker.open("litert", resnet8 / "reference_int8.tflite"),
                feeds={"input_1_int8": (x[:1] - 128).astype(np.int8)},
            ),
        ]
        ratio = compare(*time_models(worker, entries, LatencyOptions(budget_s=1.0)))
    assert ratio.ratio.value < 1
