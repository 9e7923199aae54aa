from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import onnxruntime
import pytest

from compressor.dataset import Batch, Samples, open_dataset
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Interface, Layout, TensorSpec, interface_of
from compressor.lint import Finding
from compressor.plausibility import plausible_range

Array = npt.NDArray[Any]

SAMPLES = 128
FASHION = 'path = "{root}/models/data/fashion_mnist.npz"\nlayout = "NHWC"\n'
CIFAR = 'path = "{shared}/sets/cifar10_exact_uint8_nhwc.npz"\nlayout = "NHWC"\n'
FASHION_NORMALISED = FASHION + "divide = 255\nmean = [0.2860]\nstd = [0.3530]\n"
CIFAR_NORMALISED = CIFAR + (
    "divide = 255\nmean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n"
)
LENET = "{shared}/models/fmnist_lenet/model.onnx"
RESIDUAL = "{root}/models/residual_cnn/model.onnx"
RESNET8 = "{shared}/models/mlperf_resnet8_cifar10/model.onnx"
RESNET20 = "{shared}/models/cifar10_resnet20/model.onnx"


class Judge:
    """Judges a data description for a real model."""

    def __init__(self, folder: Path, places: dict[str, str]) -> None:
        self.folder = folder
        self.places = places

    def __call__(self, model: str, toml: str, *, labels: bool) -> list[Finding]:
        path = model.format(**self.places)
        (self.folder / "data.toml").write_text(toml.format(**self.places))
        data = open_dataset(self.folder / "data.toml")
        samples = data.evaluation(interface_of(ir.load(path)), SAMPLES)
        session = onnxruntime.InferenceSession(path)

        def run(batch: Batch) -> Array:
            output: Array = session.run(None, batch)[0]
            return output

        return plausible_range(samples, run, data.labels(samples) if labels else None)


@pytest.fixture
def judge(tmp_path: Path, repository: Path, shared_data: Path) -> Judge:
    return Judge(tmp_path, {"root": str(repository), "shared": str(shared_data)})


@pytest.mark.parametrize(
    ("model", "toml", "advice"),
    [
        (LENET, FASHION, "state divide = 255, mean"),
        (RESIDUAL, FASHION, "state divide = 255, mean"),
        (RESIDUAL, FASHION + "divide = 255\n", "mean"),
        (RESNET20, CIFAR, "state divide = 255, mean"),
        (RESNET8, CIFAR + "divide = 255\n", "leave out divide"),
        (RESNET8, CIFAR_NORMALISED, "leave out divide"),
    ],
)
def test_wrong_range_is_an_error_that_names_the_setting(
    judge: Judge, model: str, toml: str, advice: str
) -> None:
    with pytest.raises(EdgecError) as caught:
        judge(model, toml, labels=True)
    assert caught.value.code is Code.DATA_RANGE
    assert advice in caught.value.hint
    assert "array 'x'" in caught.value.where


@pytest.mark.parametrize(
    ("model", "toml"),
    [
        (LENET, FASHION),
        (RESIDUAL, FASHION),
        (RESNET20, CIFAR),
        (RESNET8, CIFAR + "divide = 255\n"),
    ],
)
def test_wrong_range_is_doubted_without_labels(judge: Judge, model: str, toml: str) -> None:
    (doubt,) = judge(model, toml, labels=False)
    assert doubt.code is Code.DATA_RANGE
    assert "divide" in doubt.hint


def test_half_of_the_normalisation_is_doubted(judge: Judge) -> None:
    (doubt,) = judge(RESNET20, CIFAR + "divide = 255\n", labels=True)
    assert "mean = [" in doubt.hint


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize(
    ("model", "toml"),
    [
        (LENET, FASHION_NORMALISED),
        (RESIDUAL, FASHION_NORMALISED),
        (RESNET8, CIFAR),  # truly takes 0..255
        (RESNET20, CIFAR_NORMALISED),
        (
            "{shared}/models/pneumoniamnist_smallresnet/model.onnx",
            'path = "{shared}/sets/pneumoniamnist.npz"\n',
        ),
        (
            "{shared}/models/mlperf_dscnn_kws/model.onnx",
            'path = "{shared}/sets/speech_commands12_mfcc_nhwc.npz"\nlayout = "NHWC"\n',
        ),
    ],
)
def test_right_range_passes(judge: Judge, model: str, toml: str, labels: bool) -> None:
    assert judge(model, toml, labels=labels) == []


def raw_images(folder: Path) -> Samples:
    values = np.random.default_rng(0).integers(0, 256, (SAMPLES, 1, 4, 4), dtype=np.uint8)
    np.savez(folder / "a.npz", x=values)
    spec = TensorSpec(name="image", dtype="float32", shape=("batch", 1, 4, 4), layout=Layout.NCHW)
    return open_dataset(folder / "a.npz").evaluation(Interface(inputs=(spec,), outputs=()), SAMPLES)


def linear(batch: Batch) -> Array:
    weights = np.random.default_rng(1).standard_normal((16, 10))
    return batch["image"].reshape(len(batch["image"]), 16) @ weights


def test_outputs_that_are_not_classes_are_not_judged(tmp_path: Path) -> None:
    samples = raw_images(tmp_path)
    assert plausible_range(samples, lambda batch: batch["image"]) == []
    assert plausible_range(samples, lambda batch: linear(batch)[:, :1]) == []


def test_autoencoder_is_not_judged(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.tile(np.arange(256, dtype=np.uint8), (40, 1)))
    spec = TensorSpec(name="image", dtype="float32", shape=("batch", 256))
    model = Interface(inputs=(spec,), outputs=(spec,))
    samples = open_dataset(tmp_path / "a.npz").evaluation(model, 40)
    assert plausible_range(samples, lambda batch: batch["image"] * 1000) == []


def test_integer_inputs_are_not_judged(tmp_path: Path) -> None:
    samples = raw_images(tmp_path)
    plan = samples.plans["image"]
    integer = replace(plan, spec=replace(plan.spec, dtype="uint8"))
    assert plausible_range(replace(samples, plans={"image": integer}), linear) == []


def test_scaling_that_changes_no_answer_is_no_evidence(tmp_path: Path) -> None:
    samples = raw_images(tmp_path)
    labels = np.concatenate([linear(batch).argmax(axis=1) for batch in samples])
    assert plausible_range(samples, linear, labels) == []
