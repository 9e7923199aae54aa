"""Files in PyTorch: any format that is read, integer interfaces, half precision, compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir
import pytest
import torch

from compressor.errors import Code, EdgecError
from runtimes import torch_cuda
from runtimes._torch_session import TorchOptions, TorchSession
from runtimes.isolate import Worker
from runtimes.protocol import SessionOptions
from runtimes.targets import open_session, parse_target
from tests.tolerances import float32_network

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def test_takes_tflite(twice: Callable[[str], Path]) -> None:
    session = open_session("torch", twice(".tflite"), SessionOptions())
    assert np.array_equal(session.run({"x": X})["y"], 2 * X)


def test_options_are_its_own() -> None:
    target = parse_target("torch:threads=2,compile=true,half=true")
    assert target.options == TorchOptions(threads=2, compile=True, half=True)
    with pytest.raises(EdgecError) as caught:
        parse_target("ort:half=true")
    assert caught.value.code is Code.RECIPE_INVALID


@pytest.mark.slow
def test_in_a_child_process(twice: Callable[[str], Path]) -> None:
    with Worker() as worker:
        session = worker.open("torch", twice(".onnx"), TorchOptions(half=True))
        assert np.array_equal(session.run({"x": np.ones_like(X)})["y"], np.full_like(X, 2))


def test_half_precision_keeps_the_interface(twice: Callable[[str], Path]) -> None:
    session = open_session("torch", twice(".onnx"), TorchOptions(half=True))
    found = session.run({"x": X})["y"]
    assert found.dtype == np.float32
    assert not np.array_equal(found, 2 * X)
    assert np.array_equal(found, 2 * X.astype(np.float16).astype(np.float32))


@pytest.mark.slow
def test_compiled(twice: Callable[[str], Path]) -> None:
    session = open_session("torch", twice(".onnx"), TorchOptions(compile=True))
    assert np.array_equal(session.run({"x": X})["y"], 2 * X)


def test_an_operator_without_a_kernel_is_named(tmp_path: Path) -> None:
    text = """<ir_version: 10, opset_import: ["" : 21]>
        g (float[2] x) => (float[N] y) { y = TfIdfVectorizer<max_gram_length=1, max_skip_count=0,
        min_gram_length=1, mode="TF", ngram_counts=[0], ngram_indexes=[0], pool_int64s=[1]>(x) }"""
    path = tmp_path / "m.onnx"
    ir.save(ir.from_onnx_text(text.replace("float[2] x", "int64[2] x")), path)
    with pytest.raises(EdgecError) as caught:
        open_session("torch", path, SessionOptions())
    assert caught.value.code is Code.RUNTIME_REFUSED
    assert "TfIdfVectorizer" in caught.value.what


def test_integer_files_keep_their_interface_and_their_integers(shared_data: Path) -> None:
    path = shared_data / "models" / "mlperf_dscnn_kws" / "reference_int8.tflite"
    ours = open_session("torch", path, SessionOptions())
    theirs = open_session("litert", path, SessionOptions(optimize=False))
    (x,) = ours.interface.inputs
    assert (x.dtype, x.shape) == (
        theirs.interface.inputs[0].dtype,
        theirs.interface.inputs[0].shape,
    )
    random = np.random.default_rng(0)
    fed = random.integers(-128, 128, x.concrete(), dtype=np.int8)
    (have,) = ours.run({x.name: fed}).values()
    (want,) = theirs.run({theirs.interface.inputs[0].name: fed}).values()
    assert have.dtype == want.dtype == np.int8
    assert np.abs(have.astype(int) - want.astype(int)).max() <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["cifar10_resnet20/model.onnx", "fastestdet_coco/model.onnx", "mlperf_ae_toycar/model.onnx"],
)
def test_real_models_answer_as_in_onnx_runtime(name: str, shared_data: Path) -> None:
    path = shared_data / "models" / name
    if not path.exists():
        [path] = path.parent.glob("*.onnx")
    sessions = [open_session(t, path, SessionOptions(optimize=False)) for t in ("ort", "torch")]
    (x,) = sessions[0].interface.inputs
    feeds = {x.name: np.random.default_rng(0).random(x.concrete()).astype(np.float32)}
    want, have = (session.run(feeds) for session in sessions)
    for key, expected in want.items():
        bound = float32_network(layers=100, terms=1000) * np.abs(expected).max()
        assert np.abs(have[key] - expected).max() <= bound


def test_without_a_driver_the_gpu_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_cuda, "_DRIVER", "libno-such-driver.so")
    assert "no NVIDIA driver" in (torch_cuda.available() or "")


@pytest.mark.parametrize(
    ("text", "cpu_only"),
    [("cuda: Optional[str] = None\n", True), ("cuda: Optional[str] = '12.8'\n", False)],
)
def test_a_build_for_the_cpu_is_told_from_its_version_file(
    text: str, cpu_only: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version.py").write_text(f"__version__ = '2'\n{text}hip: Optional[str] = None\n")

    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr(torch_cuda.importlib.util, "find_spec", lambda _: Spec())
    monkeypatch.setattr(torch_cuda, "_has_driver", lambda: True)
    reason = torch_cuda.available()
    assert ("built for the CPU" in (reason or "")) is cpu_only


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_driver_without_a_gpu_is_unavailable(twice: Callable[[str], Path]) -> None:
    with pytest.raises(EdgecError) as caught:
        TorchSession(twice(".onnx"), TorchOptions(), "cuda")
    assert caught.value.code is Code.RUNTIME_UNAVAILABLE


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.parametrize("half", [False, True])
def test_on_the_gpu(half: bool, twice: Callable[[str], Path]) -> None:
    session = open_session("torch-cuda", twice(".onnx"), TorchOptions(half=half))
    assert np.allclose(session.run({"x": X})["y"], 2 * X, rtol=1e-2 if half else 0)
