"""``--prune`` in one run with everything else: smaller, about as good, and the same again."""

import json
from pathlib import Path

import pytest

from compressor.compile import compile_model
from compressor.errors import Code, EdgecError
from compressor.pruning.budget import Budget
from compressor.recipe import Recipe, Scheme

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "residual_cnn" / "model.onnx"
DATA = ROOT / "models" / "data" / "fashion_mnist.toml"
HALF = Budget.parse("macs=50%", "--prune")
LARGEST_DROP = 2.0  # points, at half the MACs without training; 1.5 is what 500 images give


@pytest.mark.slow
def test_prune_and_quantize_in_one_run(tmp_path: Path) -> None:
    recipe = Recipe(prune=HALF, latency_seconds=0)
    made = compile_model(str(MODEL), output=tmp_path / "out", data=DATA, recipe=recipe)
    pruning = made.report["pruning"]
    assert pruning["macs"][1] <= 0.5 * pruning["macs"][0]
    assert any(row["kept"] < row["total"] for row in pruning["dimensions"])
    assert all(row["why"] for row in pruning["dimensions"])
    for artifact in made.artifacts:
        assert artifact.accuracy is not None
        assert artifact.accuracy.drop is not None
        assert artifact.accuracy.drop.value <= LARGEST_DROP
        assert artifact.size.file_bytes < 0.2 * made.source.size.file_bytes
    assert [entry.name for entry in made.ledger].count("recover") == 1


def test_plan_applies_again_without_data(tmp_path: Path) -> None:
    recipe = Recipe(prune=HALF, quantize=Scheme.NONE, latency_seconds=0, to=("onnx",))
    first = compile_model(str(MODEL), output=tmp_path / "first", recipe=recipe)
    assert any("no --data" in note for note in first.notes)
    plan = tmp_path / "first" / "prune_plan.json"
    again = Recipe(prune_plan=str(plan), quantize=Scheme.NONE, latency_seconds=0, to=("onnx",))
    second = compile_model(str(MODEL), output=tmp_path / "second", recipe=again)
    assert second.report["pruning"]["macs"] == first.report["pruning"]["macs"]
    assert (tmp_path / "second" / "prune_plan.json").read_bytes() == plan.read_bytes()


def test_plan_of_another_model_is_refused(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"schema_version": 1, "fingerprint": "0", "removed": {}}))
    recipe = Recipe(prune_plan=str(plan), quantize=Scheme.NONE, latency_seconds=0)
    with pytest.raises(EdgecError) as caught:
        compile_model(str(MODEL), output=tmp_path / "out", recipe=recipe)
    assert caught.value.code is Code.PRUNE_PLAN_MISMATCH
    assert not (tmp_path / "out").exists()


def test_budget_that_cannot_be_met_is_refused(tmp_path: Path) -> None:
    recipe = Recipe(prune=Budget.parse("macs=0.1%", ""), quantize=Scheme.NONE, latency_seconds=0)
    with pytest.raises(EdgecError) as caught:
        compile_model(str(MODEL), output=tmp_path / "out", recipe=recipe)
    assert caught.value.code is Code.PRUNE_BUDGET_OUT_OF_REACH
