from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.artifact import summarize_quantization
from compressor.errors import Code, EdgecError
from compressor.preflight import preflight
from compressor.recipe import IoType, Recipe, Scheme
from tests.graphs import graph_of
from tests.quantized import GRAPHS, quantized

TFLITE = Recipe(to=("tflite",))


def saved(model: ir.Model, folder: Path) -> str:
    path = folder / "net.onnx"
    ir.save(model, path)
    return str(path)


def test_a_network_that_can_be_written(tmp_path: Path) -> None:
    found = preflight(saved(GRAPHS["residual"](), tmp_path), TFLITE)
    assert not found.is_refused
    assert found.kept_float == ()
    assert found.to_json()["formats"] == {"tflite": {"refused": False, "refusals": []}}


def test_a_refused_node_has_its_name_and_reason(tmp_path: Path) -> None:
    text = "g (float[4,4] x) => (float z) { y = Relu(x) z = Det(y) }"
    model = graph_of(text)
    model.graph[1].name = "the_determinant"
    found = preflight(saved(model, tmp_path), Recipe(to=("onnx", "tflite")))
    assert found.is_refused
    assert found.refusals["onnx"] == ()
    [refusal] = found.refusals["tflite"]
    assert (refusal.node, refusal.op_type) == ("the_determinant", "Det")
    assert refusal.reason


def test_what_stays_float_under_int8_and_why(tmp_path: Path) -> None:
    path = saved(GRAPHS["transformer"](), tmp_path)
    kept = {op for _, op, _ in preflight(path, TFLITE).kept_float}
    assert "Softmax" in kept
    assert all(reason for *_, reason in preflight(path, TFLITE).kept_float)
    assert preflight(path, Recipe(to=("tflite",), quantize=Scheme.NONE)).kept_float == ()


def test_the_prediction_is_what_a_compilation_finds(tmp_path: Path) -> None:
    """Ranges decide numbers, not which nodes are integers."""
    path = saved(GRAPHS["squeeze_excite"](), tmp_path)
    model = GRAPHS["squeeze_excite"]()
    quantized(model)
    predicted = [(op, why) for _, op, why in preflight(path, TFLITE).kept_float]
    assert predicted == [(op, why) for _, op, why in summarize_quantization(model).kept_float]


def test_an_interface_that_cannot_be_had(tmp_path: Path) -> None:
    path = saved(GRAPHS["gru"](), tmp_path)
    recipe = Recipe(to=("tflite",), quantize=Scheme.NONE, io_type=IoType.INT8)
    with pytest.raises(EdgecError) as caught:
        preflight(path, recipe)
    assert caught.value.code is Code.RECIPE_INVALID
