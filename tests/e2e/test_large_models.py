"""Models that do not fit into memory twice; `make large` does it with three gigabytes."""

import functools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import exporters.onnx
from compressor.compile import compile_model
from compressor.recipe import Recipe, Scheme
from exporters._onnx_file import save
from tests.e2e.large_model import make_model
from tests.graphs import gaussian

GIGABYTES = float(os.environ.get("EDGEC_LARGE_GB", "0.3"))
# Of the model's size. Python and the libraries take the same whatever the size, and are left out.
LARGEST_PEAK = 1.5
STORED = {Scheme.FP16: 1 / 2, Scheme.INT8_WEIGHTS: 1 / 4}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("large")
    make_model(path, int(GIGABYTES * 1e9))
    yield path
    (path / "weights.bin").unlink()


@pytest.mark.parametrize("scheme", list(STORED))
def test_peak_memory_stays_below_one_and_a_half_of_the_model(
    scheme: Scheme, folder: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [sys.executable, "-m", "tests.e2e.large_model", str(folder), str(GIGABYTES)]
    done = subprocess.run(
        [*words, scheme.value], cwd=repository, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *stages, outcome = [json.loads(line) for line in done.stdout.splitlines()]
    with capsys.disabled():
        if "EDGEC_LARGE_GB" in os.environ:
            print(f"\n{scheme.value}:", *stages, outcome, sep="\n  ")
    assert outcome["artifact"] == pytest.approx(STORED[scheme] * outcome["source"], rel=0.01)
    peak = max(outcome["compiler"], outcome["runtime"]) - outcome["bare"]
    assert peak < LARGEST_PEAK * outcome["source"]


def test_artifact_of_two_files_is_placed_counted_and_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporters.onnx, "save_model", functools.partial(save, largest=10_000))
    model = make_model(tmp_path, 1_000_000)
    result = compile_model(
        str(model),
        output=tmp_path / "out",
        recipe=Recipe(quantize=Scheme.INT8_WEIGHTS, to=("onnx",), latency_seconds=0),
    )
    files = [tmp_path / "out/model.onnx", tmp_path / "out/model.onnx.data"]
    [artifact] = result.artifacts
    assert artifact.size.file_bytes == sum(file.stat().st_size for file in files)
    source = [model, tmp_path / "weights.bin"]
    assert result.source.size.file_bytes == sum(file.stat().st_size for file in source)
    stored = onnx.load(files[0], load_external_data=False).graph.initializer
    places = {t.data_location for t in stored if np.prod(t.dims) >= 1024}
    assert places == {onnx.TensorProto.EXTERNAL}
    answers = []
    for path in (model, files[0]):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        width = session.get_inputs()[0].shape[1]
        answers.append(session.run(None, {"x": gaussian(4, width)})[0])
    spread = np.abs(answers[0] - answers[1]).max() / np.abs(answers[0]).max()
    assert spread < 24 / 127  # each of 24 layers may be off by a step of its weights
