import json
from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.cli.main import main
from tests.graphs import graph_of
from tests.quantized import GRAPHS


def test_a_clear_model_exits_with_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.onnx"
    ir.save(GRAPHS["residual"](), path)
    assert main(["check", str(path), "--to", "tflite,onnx,ort"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  tflite  can be written",
        "  onnx    can be written",
        "  ort     can be written",
    ]


def test_a_refusal_exits_with_two_and_is_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.onnx"
    ir.save(graph_of("g (float[4,4] x) => (float z) { z = Det(x) }"), path)
    assert main(["check", str(path), "--json"]) == 2
    tree = json.loads(capsys.readouterr().out)
    assert tree["formats"]["tflite"]["refused"] is True
    assert tree["formats"]["tflite"]["refusals"][0]["op_type"] == "Det"


def test_options_are_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "net.onnx"), "--to", "tflight"]) == 2
    assert "did you mean 'tflite'?" in capsys.readouterr().err
