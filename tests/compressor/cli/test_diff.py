import json
from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.cli.main import main
from tests.graphs import graph_of


def test_exit_status_and_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "g (float[N,3] x) => (float[N,3] y) {{ m = {}(x) y = Neg(m) }}"
    for name, op in (("a", "Sin"), ("b", "Tanh")):
        ir.save(graph_of(text.format(op)), tmp_path / f"{name}.onnx")
    a, b = str(tmp_path / "a.onnx"), str(tmp_path / "b.onnx")
    assert main(["diff", a, a]) == 0
    assert "no tensor differs" in capsys.readouterr().out
    assert main(["diff", a, b]) == 1
    assert "first apart: 'm' (Sin)" in capsys.readouterr().out
    assert main(["diff", a, b, "--json", "--samples", "2"]) == 1
    tree = json.loads(capsys.readouterr().out)
    assert tree["first"]["name"] == "m"
    assert tree["samples"] == 2
    assert main(["diff", a, b, "--limit", "10"]) == 0
    assert main(["diff", a, str(tmp_path / "none.onnx")]) == 2
