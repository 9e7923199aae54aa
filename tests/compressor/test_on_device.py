"""`edgec bench` on a device behind a real ssh server, beside this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from compressor.benchmark import BenchOptions, run_benchmark
from compressor.cli.main import main
from compressor.errors import Code, EdgecError, ExitCode
from tests.ssh_server import Server

QUICK = BenchOptions(seconds=0.3)


@pytest.mark.slow
def test_integer_keyword_spotting_answers_there_as_here(
    server: Server, shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "models" / "mlperf_dscnn_kws"
    models = tuple(str(folder / name) for name in ("model_float.tflite", "reference_int8.tflite"))
    stored = np.load(shared_data / "sets" / "speech_commands12_mfcc_nhwc.npz")
    np.savez(tmp_path / "some.npz", x=stored["x"][:64], y=stored["y"][:64])
    there = server.target(python=sys.executable)
    found = run_benchmark(models, ("litert", there), data=tmp_path / "some.npz", options=QUICK)
    here_float, here_int8, there_float, there_int8 = found.cells
    for here, away in ((here_float, there_float), (here_int8, there_int8)):
        assert here.accuracy is not None
        assert away.accuracy is not None
        assert away.accuracy.artifact == here.accuracy.artifact
        assert away.accuracy.cosine == here.accuracy.cosine
        assert away.latency is not None
        assert away.latency.elapsed_ns
    assert there_int8.ratio is not None
    assert there_int8.device is not None
    assert there_int8.device["runtimes"]["litert"]
    assert not list(server.files.iterdir())


@pytest.mark.slow
def test_the_command_prints_one_table(
    server: Server, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(repository / "models" / "residual_cnn" / "model.onnx")
    there = server.target(python=sys.executable)
    status = main(["bench", model, "--on", "ort", "--on", there, "--seconds", "0.3", "--json"])
    assert status == ExitCode.OK
    here, away = json.loads(capsys.readouterr().out)["cells"]
    assert here["size"] == away["size"]
    assert away["device"]["python"].startswith("3.")


@pytest.mark.slow
def test_a_device_that_cannot_be_reached_leaves_the_rest_standing(
    server: Server, repository: Path
) -> None:
    model = str(repository / "models" / "residual_cnn" / "model.onnx")
    config = server.client("client-nobody", key="other")
    found = run_benchmark((model,), ("ort", server.target(config=config)), options=QUICK)
    here, away = found.cells
    assert here.latency is not None
    assert away.error is not None
    assert away.error["code"] == Code.DEVICE_UNREACHABLE.ident


def test_alone_its_error_is_the_commands(server: Server, repository: Path) -> None:
    model = str(repository / "models" / "residual_cnn" / "model.onnx")
    with pytest.raises(EdgecError) as caught:
        run_benchmark((model,), (server.target(python="/no/python"),), options=QUICK)
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE
