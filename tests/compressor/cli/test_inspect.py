"""``edgec inspect --prunable`` says what may go and why the rest may not."""

import json
from pathlib import Path

from click.testing import CliRunner

from compressor.cli._prune_text import pruned_text
from compressor.cli.inspect import command

MODEL = str(Path(__file__).parents[3] / "models" / "residual_cnn" / "model.onnx")


def test_prunable_table() -> None:
    shown = CliRunner().invoke(command, [MODEL, "--prunable"])
    assert shown.exit_code == 0
    assert "half saves MACs" in shown.output
    assert "'logits' is an output of the model" in shown.output
    assert "half saves MACs" not in CliRunner().invoke(command, [MODEL]).output


def test_prunable_json_adds_up() -> None:
    shown = CliRunner().invoke(command, [MODEL, "--prunable", "--json"])
    rows = json.loads(shown.output)["prunable"]
    assert [row["units"] for row in rows if row["held"]] == [10]
    assert all(0 < row["saves"] < 0.5 for row in rows if not row["held"])
    assert all(row["axes"] for row in rows)


def test_table_of_what_was_pruned() -> None:
    rows = [{"name": "conv", "total": 16, "kept": 12, "why": "macs=50%"}]
    lines = pruned_text({"dimensions": rows}).splitlines()
    assert lines[1].split() == ["conv", "macs=50%", "12/16"]
