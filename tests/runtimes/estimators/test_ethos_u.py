"""Arm's compiler places every operator of an INT8 model, and says what it leaves."""

from pathlib import Path

import pytest

from compressor.errors import Code, EdgecError
from runtimes.estimate import Tier, estimate
from runtimes.simulator.vela import compile_for

pytest.importorskip("ethosu.vela", reason="needs the extra edgec[mcu]")


@pytest.mark.parametrize("name", ["mlperf_dscnn_kws", "mlperf_resnet8_cifar10", "mlperf_ae_toycar"])
def test_all_of_an_int8_model_runs_on_the_npu(shared_data: Path, name: str) -> None:
    path = shared_data / "models" / name / "reference_int8.tflite"
    made = compile_for("ethos-u55-128", path)
    assert made.on_cpu == ()
    assert made.inference_ms == pytest.approx(made.cycles / made.clock_mhz / 1e3, rel=0.05)


def test_more_macs_a_cycle_take_fewer_cycles(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "models" / "mlperf_resnet8_cifar10" / "reference_int8.tflite"
    kept = tmp_path / "vela.tflite"
    small, large = (
        compile_for(f"ethos-u55-{size}", path, output=kept).cycles for size in (32, 256)
    )
    assert large < small
    assert kept.stat().st_size > 1000


def test_a_float_model_is_unknown_and_its_operators_are_named(shared_data: Path) -> None:
    found = estimate(
        "ethos-u55-128", shared_data / "models" / "mlperf_dscnn_kws" / "model_float.tflite"
    )
    assert (found.tier, found.latency_ms, found.uncovered) == (Tier.UNKNOWN, None, 1.0)
    assert any("left to the CPU" in reason for reason in found.reasons)


def test_no_path_of_this_machine_is_told(shared_data: Path) -> None:
    found = estimate(
        "ethos-u65-256", shared_data / "models" / "mlperf_dscnn_kws" / "reference_int8.tflite"
    )
    assert found.tier is Tier.COMPILER
    assert not any("/" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("text", "code"),
    [("ethos-u55-128", Code.RUNTIME_REFUSED), ("ethos-u55-128,clock=1", Code.RECIPE_INVALID)],
)
def test_slips(repository: Path, text: str, code: Code) -> None:
    with pytest.raises(EdgecError) as caught:
        estimate(text, repository / "models" / "residual_cnn" / "model.onnx")
    assert caught.value.code is code


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.tflite"
    path.write_bytes(b"nothing")
    with pytest.raises(EdgecError) as caught:
        compile_for("ethos-u55-128", path)
    assert caught.value.code is Code.RUNTIME_REFUSED
