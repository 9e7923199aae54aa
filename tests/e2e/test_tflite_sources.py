"""TFLite files as sources: float ones are quantized, integer ones keep their own numbers."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest

from compressor.cli.main import main
from compressor.compile import Compilation, compile_model
from compressor.recipe import Recipe, Scheme
from tests.compressor.ingest.tflite.integer_cases import convolution, dynamic_range
from tests.e2e import artifacts
from tests.tolerances import one_sample

KEPT = "the model is quantized already: its own scales are kept, nothing is calibrated"
RESNET = "models/mlperf_resnet8_cifar10"


def write(folder: Path, content: bytes) -> Path:
    path = folder / "source.tflite"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("make", [convolution, dynamic_range])
def test_integer_files_compile_without_data(make: Callable[[], bytes], tmp_path: Path) -> None:
    made = compile_model(
        str(write(tmp_path, make())),
        output=tmp_path / "out",
        recipe=Recipe(quantize=Scheme.NONE, latency_seconds=0),
    )
    assert [artifact.name for artifact in made.artifacts] == ["model.onnx", "model.tflite"]
    assert "calibrate" not in [entry.name for entry in made.ledger]


def test_integer_files_keep_their_scales_whatever_the_scheme(tmp_path: Path) -> None:
    source = write(tmp_path, convolution())
    data = tmp_path / "data.npz"
    random = np.random.default_rng(0)
    np.savez(data, x=random.normal(size=(40, 6, 7, 4)).astype(np.float32))
    made = compile_model(
        str(source), output=tmp_path / "out", data=data, recipe=Recipe(latency_seconds=0)
    )
    assert KEPT in made.notes
    assert "quantize_static" not in [entry.name for entry in made.ledger]
    own = artifacts.tflite_grids(source)
    onnx = artifacts.onnx_grids(made.folder / "model.onnx")
    assert_same_grids(
        own, artifacts.tflite_grids(made.folder / "model.tflite"), {"x", "w", "b", "y"}
    )
    assert_same_grids(own, onnx, {"x", "w", "b"})
    assert made.artifacts[1].parity[0].max_lsb <= 1


def assert_same_grids(
    own: Mapping[str, artifacts.Grid], other: Mapping[str, artifacts.Grid], names: Iterable[str]
) -> None:
    for name in names:
        for mine, found in zip(own[name], other[name], strict=True):
            np.testing.assert_array_equal(found, mine)


def test_inspect_shows_integer_inputs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(write(tmp_path, convolution()))]) == 0
    said = capsys.readouterr().out
    assert "x: int8[1, 6, 7, 4] NHWC" in said
    assert "100% of them integers" in said


def test_damaged_files_are_the_users_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(write(tmp_path, convolution()[:300]))]) == 2
    assert "error[EC203]" in capsys.readouterr().err


def test_the_vendors_int8_file(compiled: Callable[..., Compilation], shared_data: Path) -> None:
    made = compiled(
        str(shared_data / RESNET / "reference_int8.tflite"),
        shared_data / "sets/cifar10_exact_uint8_nhwc.npz",
        feeding="as stored NHWC",
    )
    assert KEPT in made.notes
    onnx, tflite = (artifact.accuracy for artifact in made.artifacts)
    assert onnx is not None
    assert tflite is not None
    assert abs(onnx.artifact - tflite.artifact) <= one_sample(tflite.samples)
    own = artifacts.tflite_grids(shared_data / RESNET / "reference_int8.tflite")
    written = artifacts.tflite_grids(made.folder / "model.tflite")
    common = own.keys() & written.keys()
    assert len(common) > 3 / 4 * len(own)
    assert_same_grids(own, written, common)


def test_a_float_file_is_quantized(compiled: Callable[..., Compilation], shared_data: Path) -> None:
    made = compiled(
        str(shared_data / RESNET / "model_float.tflite"),
        shared_data / "sets/cifar10_exact_uint8_nhwc.npz",
        feeding="as stored NHWC",
    )
    assert KEPT not in made.notes
    assert made.summary.integer_macs == 1.0
    assert artifacts.tflite_transposes(made.folder / "model.tflite") == []
