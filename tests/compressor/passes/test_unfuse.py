from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest

from compressor.errors import Code, EdgecError
from compressor.source import read_source
from exporters import onnx as exporter
from exporters.protocol import ExportOptions
from tests.graphs import Array, gaussian, run_onnx
from tests.tolerances import float32_network

CONSTANTS = {
    "w": gaussian(4, 3, 3, 3, seed=1),
    "b": gaussian(4, seed=2),
    "k": gaussian(8, 5, seed=3),
    "c": gaussian(5, seed=4),
    "t": gaussian(5, 8, seed=5),
    "g": abs(gaussian(8, seed=6)) + 0.5,
    "o": gaussian(8, seed=7),
    "q": gaussian(8, 24, seed=8, scale=0.5),
    "p": gaussian(24, seed=9),
}
IMAGE, ROWS, TOKENS = (2, 3, 6, 6), (4, 8), (2, 5, 8)
PADS = "pads=[1,1,1,1]"
CASES = {
    "conv": (IMAGE, f'com.microsoft.FusedConv<activation="Relu", {PADS}>(x, w, b)'),
    "leaky conv": (
        IMAGE,
        'com.microsoft.FusedConv<activation="LeakyRelu", activation_params=[0.1]>(x, w)',
    ),
    "clipped conv": (
        IMAGE,
        'com.microsoft.FusedConv<activation="Clip", activation_params=[0.0, 1.5]>(x, w, b)',
    ),
    "gemm": (ROWS, 'com.microsoft.FusedGemm<activation="Relu", alpha=0.5>(x, k, c)'),
    "leaky gemm": (
        ROWS,
        'com.microsoft.FusedGemm<activation="LeakyRelu", activation_alpha=0.2>(x, k, c)',
    ),
    "transposed product": (ROWS, "com.microsoft.FusedMatMul<transB=1, alpha=0.25>(x, t)"),
    "gelu": (ROWS, "com.microsoft.Gelu(x)"),
    "gelu with bias": (ROWS, "com.microsoft.BiasGelu(x, o)"),
    "fast gelu": (ROWS, "com.microsoft.FastGelu(x, o)"),
    "quick gelu": (ROWS, "com.microsoft.QuickGelu(x)"),
    "residual normalization": (
        TOKENS,
        "com.microsoft.SkipLayerNormalization<epsilon=0.00001>(x, x, g, o)",
    ),
    "residual normalization with bias": (
        TOKENS,
        "com.microsoft.SkipLayerNormalization(x, x, g, o, o)",
    ),
    "attention": (TOKENS, "com.microsoft.Attention<num_heads=2>(x, q, p)"),
    "early layer normalization": (TOKENS, "LayerNormalization<axis=-1>(x, g, o)"),
}


def saved(folder: Path, shape: tuple[int, ...], call: str) -> Path:
    dims, open_dims = ",".join(map(str, shape)), ",".join("ABCD"[: len(shape)])
    proto = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["" : 13, "com.microsoft" : 1]>'
        f"g (float[{dims}] x) => (float[{open_dims}] y) {{ y = {call} }}"
    )
    for name in dict.fromkeys(proto.graph.node[0].input):
        if name in CONSTANTS:
            tensor = onnx.numpy_helper.from_array(CONSTANTS[name], name)
            proto.graph.initializer.append(tensor)
    path = folder / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


@pytest.mark.parametrize("name", CASES)
def test_means_the_same(tmp_path: Path, name: str) -> None:
    shape, call = CASES[name]
    path = saved(tmp_path, shape, call)
    feeds: dict[str, Array] = {"x": gaussian(*shape, seed=11)}
    model = read_source(str(path)).model
    assert {node.domain for node in model.graph} == {""}
    want = run_onnx(path.read_bytes(), feeds)["y"]
    have = run_onnx(exporter.write(model, ExportOptions()), feeds)["y"]
    assert have.shape == want.shape
    bound = 8 * float32_network(layers=4, terms=27) * np.abs(want).max()
    assert np.abs(have - want).max() <= bound


@pytest.mark.parametrize(
    ("shape", "call", "words"),
    [
        (TOKENS, "com.microsoft.Attention<num_heads=2, unidirectional=1>(x, q, p)", "causal"),
        (IMAGE, 'com.microsoft.FusedConv<activation="Swish">(x, w)', "Swish"),
        (ROWS, "com.microsoft.MoE(x, k)", "MoE"),
    ],
)
def test_what_the_standard_cannot_say_is_refused_by_name(
    tmp_path: Path, shape: tuple[int, ...], call: str, words: str
) -> None:
    with pytest.raises(EdgecError) as caught:
        read_source(str(saved(tmp_path, shape, call)))
    assert caught.value.code is Code.MODEL_UNSUPPORTED
    assert words in caught.value.what


@pytest.mark.parametrize(
    "call",
    ["com.microsoft.Gelu<alpha=1>(x)", "com.microsoft.BiasGelu(x)", "com.microsoft.Gelu<z=1>(x)"],
)
def test_malformed_nodes_are_the_files_fault(tmp_path: Path, call: str) -> None:
    with pytest.raises(EdgecError) as caught:
        read_source(str(saved(tmp_path, ROWS, call)))
    assert caught.value.code is Code.MODEL_UNREADABLE
