"""Types and axis orders of artifacts' interfaces, from the recipe to the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from compressor.compile import compile_model
from compressor.errors import Code, EdgecError
from compressor.recipe import IoLayout, IoType, Recipe, Scheme
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session, runtime_for
from tests.e2e import artifacts

QUICK: Mapping[str, Any] = {"latency_seconds": 0, "calib_samples": 40, "eval_samples": 50}


def demo(repository: Path, name: str = "mobilenet") -> tuple[str, Path]:
    folder = repository / "models"
    return str(folder / name / "model.onnx"), folder / "data/fashion_mnist.toml"


@pytest.mark.parametrize(
    ("io_type", "conversions"),
    [
        (IoType.INT8, {}),
        pytest.param(IoType.UINT8, {"QUANTIZE": 2}, marks=pytest.mark.slow),
        pytest.param(IoType.FLOAT32, None, marks=pytest.mark.slow),
    ],
)
def test_integers_at_the_edges(
    io_type: IoType, conversions: dict[str, int] | None, repository: Path, tmp_path: Path
) -> None:
    model, data = demo(repository)
    recipe = Recipe(io_type=io_type, io_layout=IoLayout.NHWC, to=("onnx", "tflite", "ort"), **QUICK)
    result = compile_model(model, output=tmp_path / "out", data=data, recipe=recipe)
    operators = artifacts.tflite_operators(tmp_path / "out/model.tflite")
    found = {op: n for op, n in operators.items() if op in ("QUANTIZE", "DEQUANTIZE")}
    assert found == ({"QUANTIZE": 1, "DEQUANTIZE": 1} if conversions is None else conversions)
    assert operators["TRANSPOSE"] == 0
    for record in result.artifacts:
        assert record.accuracy is not None
        assert record.accuracy.agreement == pytest.approx(100, abs=4)
        path = tmp_path / "out" / record.name
        session = open_session(runtime_for(path).NAME, path, SessionOptions())
        image, scores = session.interface.inputs[0], session.interface.outputs[0]
        assert (image.dtype, scores.dtype) == (io_type.value, io_type.value)
        assert image.shape[1:] == (28, 28, 1)
        contract = record.interface
        assert contract is not None
        assert contract["inputs"][0]["layout"] == "NHWC"
        assert ("scale" in contract["inputs"][0]) is (io_type is not IoType.FLOAT32)


def test_an_input_that_is_not_quantized_is_refused(repository: Path, tmp_path: Path) -> None:
    model, data = demo(repository)
    recipe = Recipe(io_type=IoType.INT8, quantize=Scheme.NONE, **QUICK)
    with pytest.raises(EdgecError) as caught:
        compile_model(model, output=tmp_path / "out", data=data, recipe=recipe)
    assert caught.value.code is Code.RECIPE_INVALID
    assert not (tmp_path / "out").exists()
