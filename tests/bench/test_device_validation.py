"""The published tables are predicted as well as promised, and bad tables are refused."""

import json
from pathlib import Path

import pytest

from bench.device_validation import main

NAMES = ("ncnn_graph_ops.csv", "ncnn_measured.csv")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.mark.slow
def test_published_times_are_predicted(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = [str(shared_data / "latency" / name) for name in NAMES]
    arguments = ("--ops", tables[0], "--measured", tables[1], "--folds", "3", "--json")
    status, out, _ = run(capsys, *arguments, "--threads", "1")
    found = json.loads(out)["1"]
    assert status == 0
    # The promises of the simulator with five anchors and one thread.
    assert found["mape"] <= 15
    assert found["within"]["20"] >= 70
    assert found["spearman"] >= 0.95
    assert 85 <= found["coverage"]["90"] <= 95
    assert found["baseline_mape"] > 2 * found["mape"]


def test_missing_tables_are_the_users(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, err = run(capsys, "--ops", str(tmp_path / "a"), "--measured", str(tmp_path / "b"))
    assert (status, out) == (2, "")
    assert "EC301" in err


def test_one_device_cannot_be_left_out(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    operators, measured = tmp_path / "o.csv", tmp_path / "m.csv"
    operators.write_text(
        "model,type,kind,name,macs,weights,in_el,out_el,k,stride,groups,cin,cout,ow,oh,int8\n"
        "net,Convolution,pw,a,32768,512,1024,2048,1,1,1,16,32,8,8,False\n"
    )
    measured.write_text("device,threads,model,latency_ms\nboard,1,net,2.5\n")
    status, _, err = run(capsys, "--ops", str(operators), "--measured", str(measured))
    assert status == 2
    assert "leave one out" in err
