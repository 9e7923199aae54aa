import json
from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.cli.main import main
from tests.quantized import GRAPHS


@pytest.fixture
def model(tmp_path: Path) -> str:
    path = tmp_path / "net.onnx"
    ir.save(GRAPHS["residual"](), path)
    return str(path)


def test_history_comparison_and_plot(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history, plot = tmp_path / "history.jsonl", tmp_path / "plot.svg"
    common = ["bench", model, "--seconds", "0.1", "--history", str(history)]
    assert main(common) == 0
    assert "net.onnx" in capsys.readouterr().out
    assert main([*common, "--json", "--compare", str(history), "--plot", str(plot)]) == 0
    tree = json.loads(capsys.readouterr().out)
    [change] = tree["changes"]
    assert change["direction"] in ("same", "slower", "faster")
    assert len(history.read_text().splitlines()) == 2
    assert plot.read_text().startswith("<svg")


def test_options_are_checked(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", model, "--cores", "9999"]) == 2
    assert "no cores" in capsys.readouterr().err
    assert main(["bench", model, "--on", "nowhere"]) == 2
    assert main(["bench"]) == 2
