"""``edgec devices`` lists, shows, fits and validates."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from compressor.cli.devices import command
from compressor.errors import Code, EdgecError
from runtimes.estimate import Tier, estimate


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, catch_exceptions=False)


def refused(*arguments: str) -> Code:
    with pytest.raises(EdgecError) as caught:
        run(*arguments)
    return caught.value.code


@pytest.fixture
def times(tmp_path: Path, repository: Path) -> Path:
    """Three times of a device that runs exactly as the Raspberry Pi's profile says."""
    lines = ["model,latency_ms"]
    for name in ("residual_cnn", "mobilenet"):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes((repository / "models" / name / "model.onnx").read_bytes())
        spread = estimate("sim:raspberry-pi-4", path).latency_ms
        assert spread is not None
        lines.append(f"{path.name},{spread.median}")
    again = tmp_path / "again.onnx"
    again.write_bytes((tmp_path / "mobilenet.onnx").read_bytes())
    table = tmp_path / "times.csv"
    table.write_text("\n".join([*lines, lines[-1].replace("mobilenet", "again")]) + "\n")
    return table


def test_list_and_show() -> None:
    text = run("list").output
    assert "sim:raspberry-pi-4" in text
    assert len(json.loads(run("list", "--json").output)) >= 40
    shown = run("show", "sim:rk3399").output
    assert "BSD-3-Clause" in shown
    assert "gemm_mac" in shown


def test_a_fitted_device_is_a_target(times: Path, tmp_path: Path) -> None:
    made = tmp_path / "mine.toml"
    run("fit", str(times), "--name", "mine", "--clock-mhz", "1800", "-o", str(made))
    found = estimate(f"sim:{made}", tmp_path / "residual_cnn.onnx")
    assert found.tier is Tier.CALIBRATED
    assert found.latency_ms is not None
    measured = float(times.read_text().splitlines()[1].split(",")[1])
    assert found.latency_ms.low90 < measured < found.latency_ms.high90


def test_validation_compares_with_the_users_times(times: Path) -> None:
    arguments = ("validate", "raspberry-pi-4", str(times), "--runtime", "ncnn")
    found = json.loads(run(*arguments, "--json").output)
    assert len(found) == 3
    assert all(row["error"] < 1e-6 and row["inside90"] for row in found)


def test_too_few_times(times: Path, tmp_path: Path) -> None:
    times.write_text("\n".join(times.read_text().splitlines()[:3]))
    arguments = ("--name", "x", "--clock-mhz", "1000", "-o", str(tmp_path / "x.toml"))
    assert refused("fit", str(times), *arguments) is Code.DATA_EMPTY


@pytest.mark.parametrize("bad", ["model,ms\na,1\n", "model,latency_ms\na.onnx,-1\n"])
def test_bad_tables(tmp_path: Path, bad: str) -> None:
    table = tmp_path / "bad.csv"
    table.write_text(bad)
    assert refused("validate", "raspberry-pi-4", str(table)) is Code.DATA_UNREADABLE


def test_unknown_device() -> None:
    assert refused("show", "raspberry") is Code.TARGET_UNKNOWN
