"""A repository with an ``edgec.toml`` goes through what happens to one in CI."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from sarif_pydantic import Sarif

from compressor.cli.main import main

PROJECT = """
[model]
path = {model}
[data]
path = {data}
[quantize]
scheme = "{scheme}"
calib_samples = 40
[measure]
eval_samples = 200
latency_seconds = 0.2
[export]
output = "{output}"
[budgets]
{budgets}
"""

KEPT = """
size.file = "0.5x float"
max_drop.top1 = "2 pt"
likeness.agreement = "97 %"
ops.deny = ["CUSTOM", "Loop"]
versions.opset = "<= 21"
integer.weights = "90 %"
"""

Gate = Callable[..., tuple[int, str]]


class Shop:
    """A folder with a compiled model; project files are written into it."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder = folder
        self._repository = repository

    def project(self, budgets: str, *, scheme: str = "int8", output: str = "out") -> Path:
        file = self.folder / "edgec.toml"
        models = self._repository / "models"
        text = PROJECT.format(
            model=json.dumps(str(models / "residual_cnn/model.onnx")),
            data=json.dumps(str(models / "data/fashion_mnist.toml")),
            scheme=scheme,
            output=output,
            budgets=budgets,
        )
        file.write_text(text)
        return file

    def report(self, change: Callable[[dict[str, Any]], None]) -> Path:
        """Return a copy of the compiled folder whose report was changed."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder / "out", copy)
        report = json.loads((copy / "report.json").read_text())
        change(report)
        (copy / "report.json").write_text(json.dumps(report))
        return copy


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("shop"), repository)
    assert main(["compile", "--recipe", str(shop.project(KEPT))]) == 0
    assert main(["baseline", str(shop.folder / "out"), "-o", str(shop.folder / "base")]) == 0
    return shop


@pytest.fixture
def gate(shop: Shop, capsys: pytest.CaptureFixture[str], repository: Path) -> Gate:
    """Run the gate, check every report that it writes, and return status and stdout."""
    schema = xmlschema.XMLSchema(repository / "tests/bench/gate/formats/junit.xsd")

    def run(budgets: str, *words: str, out: Path | None = None) -> tuple[int, str]:
        file = shop.project(budgets)
        names = ("json", "markdown", "junit", "sarif", "github")
        writes = [f"--write={name}={shop.folder / name}" for name in names]
        capsys.readouterr()
        folder = str(out or shop.folder / "out")
        status = main(["gate", folder, "--budgets", str(file), *writes, *words])
        said = capsys.readouterr()
        assert said.err == ""
        tree = json.loads((shop.folder / "json").read_text())
        found = {ruling["judgement"]["outcome"] for ruling in tree["rulings"]}
        assert tree["exit_code"] == status
        schema.validate((shop.folder / "junit").read_text())
        Sarif.model_validate_json((shop.folder / "sarif").read_text())
        results = json.loads((shop.folder / "sarif").read_text())["runs"][0]["results"]
        broken = [r for r in tree["rulings"] if r["judgement"]["outcome"] != "pass"]
        assert len(results) == len(broken)
        assert (shop.folder / "github").read_text().count("\n") == len(broken) + 1
        rows = (shop.folder / "markdown").read_text()
        assert all(f"**{outcome.upper()}**" in rows for outcome in found)
        return status, said.out

    return run


def test_a_change_that_keeps_every_budget_passes(gate: Gate) -> None:
    status, text = gate(KEPT)
    assert status == 0
    assert text.splitlines()[-1] == "11 pass"


def test_the_ledger_adds_up_to_the_artifacts(shop: Shop) -> None:
    report = json.loads((shop.folder / "out/report.json").read_text())
    for name in ("weight_bytes", "macs"):
        total = report["as_read"][name] + sum(e["change"][name] for e in report["ledger"])
        assert total == sum(layer[name] for layer in report["layers"])
        for artifact in report["artifacts"]:
            assert artifact.get(name, total) == total


def test_a_locked_compilation_repeats_and_refuses_changes(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop.project(KEPT, output="locked")
    lock = file.with_suffix(".lock")
    shutil.copyfile(lock, shop.folder / "kept.lock")
    words = ["compile", "--recipe", str(file), "--locked", "--latency-seconds", "0"]
    assert main(words) == 0
    for name in ("model.onnx", "model.tflite"):
        made = (shop.folder / "locked" / name).read_bytes()
        assert made == (shop.folder / "out" / name).read_bytes()
    assert lock.read_bytes() == (shop.folder / "kept.lock").read_bytes()
    shutil.rmtree(shop.folder / "locked")
    capsys.readouterr()
    assert main([*words, "--range-method", "minmax"]) == 2
    said = capsys.readouterr().err
    assert "EC106" in said
    assert "recipe range_method is minmax" in said
    assert not (shop.folder / "locked").exists()
    lock.write_text("{")
    assert main(words) == 2
    lock.unlink()
    assert main(words) == 2
    assert main(["compile", "m.onnx", "--locked"]) == 2


def test_too_large_fails(gate: Gate) -> None:
    status, text = gate(KEPT + 'size.gzip = "10 KB"', "--why")
    assert status == 1
    assert "above 10 KB" in text
    assert "by layer" in text


def test_too_inaccurate_fails(gate: Gate) -> None:
    status, text = gate('accuracy.top1 = ">= 99.9 %"')
    assert status == 1
    assert "below 99.90 %" in text


def test_a_warning_does_not_fail(gate: Gate) -> None:
    status, text = gate('size.gzip = { limit = "10 KB", level = "warn" }')
    assert status == 0
    assert "FAIL (warn)" in text


def estimate(report: dict[str, Any], **entry: Any) -> None:
    report["estimates"] = [{"target": "sim:board", "artifact": "model.tflite", **entry}]


def test_a_simulated_latency_across_its_limit_is_uncertain(gate: Gate, shop: Shop) -> None:
    seconds = {"value": 0.010, "low": 0.008, "high": 0.013}
    out = shop.report(lambda report: estimate(report, tier="PROFILE", seconds=seconds))
    budget = 'latency."sim:board" = "12 ms"'
    status, text = gate(budget, out=out)
    assert status == 3
    assert "UNCERTAIN" in text
    assert gate(budget, "--allow-uncertain", out=out)[0] == 0
    assert gate('latency."sim:board" = "13 ms"', out=out)[0] == 0
    assert gate('latency."sim:board" = "7 ms"', out=out)[0] == 1


def test_a_device_that_cannot_answer_is_unknown(gate: Gate, shop: Shop) -> None:
    out = shop.report(lambda report: estimate(report, tier="UNKNOWN", reason="no row has Softmax"))
    status, text = gate('latency."sim:board" = "12 ms"', "--allow-uncertain", out=out)
    assert status == 3
    assert "no row has Softmax" in text


@pytest.mark.parametrize("change", [None, float("nan"), "12"])
def test_a_number_that_is_none_fails(gate: Gate, shop: Shop, change: Any) -> None:
    def spoil(report: dict[str, Any]) -> None:
        report["artifacts"][0]["size"]["gzip_bytes"] = change

    assert gate('size.gzip = "10 MB"', out=shop.report(spoil))[0] == 1


def test_a_file_that_was_changed_after_measuring_fails(gate: Gate, shop: Shop) -> None:
    out = shop.report(lambda _: None)
    with (out / "model.onnx").open("ab") as file:
        file.write(b"\0")
    status, text = gate(KEPT, out=out)
    assert status == 1
    assert "not the one that was measured" in text


def test_the_float_version_misses_the_baseline_and_why_names_its_layers(
    gate: Gate, shop: Shop
) -> None:
    assert gate('size.file = "+1 %"', "--baseline", str(shop.folder / "base"))[0] == 0
    file = shop.project('size.file = "10 MB"', scheme="none", output="float")
    assert main(["compile", "--recipe", str(file)]) == 0
    status, text = gate(
        'size.file = "+1 %"',
        "--baseline",
        str(shop.folder / "base"),
        "--why",
        out=shop.folder / "float",
    )
    assert status == 1
    report = json.loads((shop.folder / "float/report.json").read_text())
    largest = max(report["layers"], key=lambda layer: layer["weight_bytes"])
    assert f"{largest['name']} ({largest['op_type']}, float)" in text
    assert "--quantize int8" in text


def test_latency_is_held_against_the_baseline_s_own_file(gate: Gate, shop: Shop) -> None:
    words = ("--baseline", str(shop.folder / "base"), "--seconds", "1", "--allow-uncertain")
    status, text = gate('latency.ort = "+100 %"', *words)
    assert status == 0
    assert "of the baseline" in text


def test_without_a_baseline_a_change_fails_and_says_how_to_make_one(gate: Gate) -> None:
    status, text = gate('size.file = "+1 %"')
    assert status == 1
    assert "edgec baseline" in text


def test_a_broken_project_file_is_the_user_s(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop.project('size.fiel = "1 MB"')
    assert main(["gate", str(shop.folder / "out"), "--budgets", str(file)]) == 2
    said = capsys.readouterr().err
    assert "EC102" in said
    assert "line 15" in said
    assert "did you mean 'file'?" in said


def test_missing_data_is_the_user_s(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    file = shop.project(KEPT)
    file.write_text(file.read_text().replace("fashion_mnist.toml", "gone.npz"))
    assert main(["compile", "--recipe", str(file)]) == 2
    assert "EC301" in capsys.readouterr().err


def test_a_budget_that_is_missed_for_certain_stops_the_compilation(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop.project('size.file = "1 KB"', output="stopped")
    assert main(["compile", "--recipe", str(file)]) == 1
    said = capsys.readouterr().err
    assert "EC702" in said
    assert "evaluate" not in said
    assert not (shop.folder / "stopped").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["--format", "jsn"],
        ["--write", "junit"],
        ["--write", "jnit=x.xml"],
        ["--write", "junit=/no/such/folder/x.xml"],
    ],
)
def test_bad_options_of_the_gate(
    shop: Shop, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = shop.project(KEPT)
    assert main(["gate", str(shop.folder / "out"), "--budgets", str(file), *words]) == 2
    assert "EC101" in capsys.readouterr().err


def test_init_writes_what_compiles_and_gates(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, data = (
        repository / "models/gru/model.onnx",
        repository / "models/data/fashion_mnist.toml",
    )
    file = tmp_path / "edgec.toml"
    assert main(["init", str(model), "--data", str(data), "-o", str(file)]) == 0
    assert main(["init", str(model), "-o", str(file)]) == 2  # never over an existing one
    quick = ["--latency-seconds", "0", "--eval-samples", "200", "--calib-samples", "40"]
    assert main(["compile", "--recipe", str(file), *quick]) == 0
    capsys.readouterr()
    assert main(["gate", str(tmp_path / "edgec-out"), "--budgets", str(file)]) == 0
    assert "4 pass" in capsys.readouterr().out
