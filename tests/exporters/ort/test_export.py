"""ORT format: the same answers as the graph, portable kernels only, the same bytes everywhere."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.quant import IntegerType
from compressor.source import read_source
from exporters import onnx, ort
from exporters.ort.operators import CONFIG_SUFFIX
from exporters.protocol import ExportOptions
from runtimes.onnxruntime import open_session
from runtimes.protocol import SessionOptions
from tests.exporters.ort.reading import nodes_of
from tests.graphs import feeds_for, graph_of, run_onnx
from tests.quantized import GRAPHS, quantized
from tests.tolerances import float32_network

MODELS = ("residual_cnn", "mobilenet", "gru", "vit")
NOT_PORTABLE = ("com.microsoft.nchwc",)  # layouts in blocks of one processor's vector length


def outputs_of(content: bytes, feeds: dict[str, np.ndarray], folder: Path) -> dict[str, np.ndarray]:
    path = folder / "model.ort"
    path.write_bytes(content)
    return open_session(path, SessionOptions()).run(feeds)


@pytest.mark.parametrize("name", MODELS)
def test_reference_models_answer_the_same(name: str, repository: Path, tmp_path: Path) -> None:
    model = read_source(str(repository / "models" / name / "model.onnx")).model
    feeds = feeds_for(model)
    content = ort.write(model, ExportOptions())
    want, have = run_onnx(model, feeds), outputs_of(content, feeds, tmp_path)
    for output, array in want.items():
        bound = float32_network(layers=30, terms=1000) * np.abs(array).max()
        assert np.abs(have[output] - array).max() <= bound
    assert not any(domain in NOT_PORTABLE for domain, *_ in nodes_of(content))


@pytest.mark.parametrize("name", GRAPHS)
def test_integer_graphs_answer_as_their_onnx_form(name: str, tmp_path: Path) -> None:
    model = GRAPHS[name]()
    feeds = feeds_for(model)
    quantized(model)
    content = ort.write(model, ExportOptions())
    have = outputs_of(content, feeds, tmp_path)
    want = run_onnx(onnx.write(model, ExportOptions()), feeds, optimize=True)
    for output, array in want.items():
        step = (np.ptp(array) or 1.0) / 255
        assert np.abs(have[output] - array).mean() <= step


def test_integers_of_the_file_are_those_that_were_asked_for() -> None:
    model = GRAPHS["residual"]()
    quantized(model)
    for kind, other in ((IntegerType.INT8, "uint8_t"), (IntegerType.UINT8, '"int8_t"')):
        content = ort.write(model, ExportOptions(activations=kind))
        operators = {op for _, op, _ in nodes_of(content)}
        assert "QLinearConv" in operators
        assert "Conv" not in operators
        assert other.encode() not in ort.companions(content)[CONFIG_SUFFIX]


@pytest.mark.parametrize("name", GRAPHS)
def test_the_configuration_lists_exactly_the_operators(name: str) -> None:
    model = GRAPHS[name]()
    quantized(model)
    content = ort.write(model, ExportOptions())
    lines = ort.companions(content)[CONFIG_SUFFIX].decode().splitlines()
    listed = set()
    for line in lines:
        if not line.startswith("#"):
            domain, opset, names = line.split(";")
            listed |= {(domain, name, int(opset)) for name in operators_in(names)}
    assert listed == set(nodes_of(content))


def operators_in(text: str) -> list[str]:
    """Return the names of ``Add{...},Relu`` without their types."""
    depth, name, found = 0, "", []
    for char in text + ",":
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            found.append(name)
            name = ""
        elif depth == 0 and char != "}":
            name += char
    return found


def test_types_follow_the_model() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Add(x, x) }")
    config = ort.companions(ort.write(model, ExportOptions()))[CONFIG_SUFFIX].decode()
    assert config.splitlines()[1:] == ['ai.onnx;14;Add{"inputs": {"0": ["float"]}}']


def test_other_processes_write_the_same_bytes(repository: Path) -> None:
    path = repository / "models/vit/model.onnx"
    code = (
        "import hashlib, sys; from compressor.source import read_source\n"
        "from exporters import ort; from exporters.protocol import ExportOptions\n"
        "model = read_source(sys.argv[1]).model\n"
        "print(hashlib.sha256(ort.write(model, ExportOptions())).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(path)]
    found = {
        subprocess.run(command, capture_output=True, text=True, check=True, cwd=repository).stdout
        for _ in range(2)
    }
    assert len(found) == 1


def test_what_onnx_runtime_does_not_take_is_an_error() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Add(x, x) }")
    model.graph[0].op_type = "NoSuchOperator"
    with pytest.raises(EdgecError) as caught:
        ort.write(model, ExportOptions())
    assert caught.value.code is Code.ARTIFACT_MISMATCH
