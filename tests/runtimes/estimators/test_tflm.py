"""The real tflite-micro interpreter: memory, outputs, and its reasons."""

from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from runtimes.estimate import Tier, estimate
from runtimes.simulator.tflm import run_micro, sample_inputs

pytest.importorskip("tflite_micro", reason="needs the extra edgec[mcu]")

MODELS = ("mlperf_dscnn_kws", "mlperf_resnet8_cifar10", "mlperf_ae_toycar")


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_of_litert(shared_data: Path, name: str) -> None:
    path = shared_data / "models" / name / "reference_int8.tflite"
    ran = run_micro(path, sample_inputs(path, samples=16, seed=1))
    largest, within = ran.apart()
    assert len(ran.outputs) == len(ran.reference) == 1
    assert ran.outputs[0].shape == ran.reference[0].shape
    # One step, but for a rounding before a softmax that magnifies it now and then.
    assert within >= 15 / 16
    assert largest <= 2


def test_memory_is_the_interpreters_own(shared_data: Path) -> None:
    path = shared_data / "models" / "mlperf_resnet8_cifar10" / "reference_int8.tflite"
    found = estimate("tflm,sram=64KB", path)
    assert (found.tier, found.latency_ms) == (Tier.MEASURED, None)
    assert found.memory is not None
    assert found.memory.arena == 3 * 32 * 32 * 16  # a skip connection around two convolutions
    assert found.memory.overhead > 0
    assert found.facts["fits"].startswith("yes")
    assert estimate("tflm,sram=48KB", path).facts["fits"].startswith("no")


def test_what_it_cannot_run_is_refused_with_its_reason(shared_data: Path) -> None:
    folder = shared_data / "models" / "mlperf_dscnn_kws"
    with pytest.raises(EdgecError, match="Hybrid models") as caught:
        estimate("tflm", folder / "reference_int8_weights_float_io.tflite")
    assert caught.value.code is Code.RUNTIME_REFUSED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("tflm", Code.RUNTIME_REFUSED),
        ("tflm,ram=1KB", Code.RECIPE_INVALID),
        ("tflm,sram=much", Code.RECIPE_INVALID),
    ],
)
def test_slips(repository: Path, text: str, code: Code) -> None:
    with pytest.raises(EdgecError) as caught:
        estimate(text, repository / "models" / "residual_cnn" / "model.onnx")
    assert caught.value.code is code


def test_a_damaged_file_is_refused(shared_data: Path, tmp_path: Path) -> None:
    whole = (shared_data / "models" / MODELS[0] / "reference_int8.tflite").read_bytes()
    path = tmp_path / "half.tflite"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EdgecError) as caught:
        run_micro(path, [np.zeros((1, 1, 49, 10, 1), np.int8)])
    assert caught.value.code in (Code.RUNTIME_REFUSED, Code.RUNTIME_CRASHED)
