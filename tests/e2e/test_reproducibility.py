"""The same input, recipe and versions give the same bytes; a kill leaves nothing half done."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import onnx
import pytest

from bench.size import measure_size
from compressor.compile import compile_model
from compressor.recipe import Recipe

FORMATS = ("onnx", "tflite", "ort")
SMALL = Recipe(to=FORMATS, latency_seconds=0, calib_samples=40, eval_samples=50)


def test_two_compilations_give_equal_bytes(repository: Path, tmp_path: Path) -> None:
    model, data = _demo(repository)
    for name in ("a", "b"):
        compile_model(str(model), output=tmp_path / name, data=data, recipe=SMALL)
    for name in (f"model.{suffix}" for suffix in FORMATS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_artifacts_tell_no_paths_and_say_where_they_come_from(
    repository: Path, tmp_path: Path
) -> None:
    model, data = _demo(repository)
    result = compile_model(str(model), output=tmp_path / "out", data=data, recipe=SMALL)
    for name in ("model.onnx", "model.tflite", "model.ort", "report.json"):
        content = (tmp_path / "out" / name).read_bytes()
        for secret in (str(repository), str(tmp_path), os.uname().nodename, "stack_trace"):
            assert secret.encode() not in content
    properties = {p.key: p.value for p in onnx.load(tmp_path / "out/model.onnx").metadata_props}
    assert json.loads(properties["edgec.recipe"])["quantize"] == "int8"
    assert properties["edgec.source"] == result.report["model"]["fingerprint"]


def test_the_report_holds_what_was_measured(repository: Path, tmp_path: Path) -> None:
    model, data = _demo(repository)
    result = compile_model(str(model), output=tmp_path / "out", data=data, recipe=SMALL)
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert report["schema_version"] == 1
    for record, artifact in zip(report["artifacts"], result.artifacts, strict=True):
        file = tmp_path / "out" / artifact.name
        assert record["size"]["file_bytes"] == file.stat().st_size == measure_size(file).file_bytes
        assert record["accuracy"]["samples"] == SMALL.eval_samples
    assert [entry["pass"] for entry in report["ledger"]][-2:] == [
        "quantize_static",
        "round_weights",
    ]


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_no_truncated_file(repository: Path, tmp_path: Path) -> None:
    """Kill twenty runs over one output; whatever stands under a final name is whole."""
    model, data = _demo(repository)
    out = tmp_path / "out"
    arguments = ["compile", str(model), "--data", str(data), "-o", str(out)]
    arguments += ["--latency-seconds", "0", "--calib-samples", "40", "--eval-samples", "50"]
    command = [sys.executable, "-m", "compressor.cli.main", *arguments]
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, cwd=repository)
    whole_run = time.monotonic() - start
    good = {path.name: path.read_bytes() for path in out.iterdir()}
    moments = random.Random(0)
    for _ in range(20):
        process = subprocess.Popen(
            command, cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(0.1, 1.0) * whole_run)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name in ("model.onnx", "model.tflite"):
            assert (out / name).read_bytes() == good[name]
        assert json.loads((out / "report.json").read_text())["artifacts"]
    subprocess.run(command, check=True, capture_output=True, cwd=repository)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # stale folders are gone


def _demo(repository: Path) -> tuple[Path, Path]:
    folder = repository / "models"
    return folder / "residual_cnn/model.onnx", folder / "data/fashion_mnist.toml"
