from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from compressor.ir.annotations import set_quant
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.fold_affine import FoldAffine
from compressor.passes.infer_shapes import InferShapes
from tests.graphs import apply, assert_same, gaussian, graph_of, lines_of

Array = npt.NDArray[Any]
CHANNELS = gaussian(4, 1, 1, seed=3)


def fold(layer: str, rest: str, **constants: Array) -> tuple[list[str], dict[str, int]]:
    """Run the pass on ``c = layer; rest``, assert the same results; return lines and counts."""
    rank = "N,7" if "Gemm" in layer else "N,3,6,6"
    result = "N,M" if "Gemm" in layer else "N,C,H,W"
    model = graph_of(
        f"g (float[{rank}] x) => (float[{result}] y) {{ c = {layer}  {rest} }}", **constants
    )
    apply(model, InferShapes())
    before = model.clone()
    [changes] = apply(model, FoldAffine())
    assert_same(before, model, terms=27)
    assert sum(changes.counts.values()) == len(before.graph) - len(model.graph)
    return lines_of(model), dict(changes.counts)


def test_written_out_normalization_goes_into_the_convolution() -> None:
    lines, counts = fold(
        "Conv(x, w, b)",
        "m = Mul(c, gain)  y = Add(m, offset)",
        w=gaussian(4, 3, 3, 3),
        b=gaussian(4, seed=1),
        gain=CHANNELS[None],
        offset=gaussian(1, 4, 1, 1, seed=5),
    )
    assert lines == ["y = Conv(x, w_folded, w_folded_bias)"]
    assert counts == {"factors folded": 1, "terms folded": 1}


def test_depthwise_without_bias_and_a_constant_on_the_left() -> None:
    lines, _ = fold(
        "Conv<group=3>(x, w)",
        "m = Sub(offset, c)  y = Div(m, gain)",
        w=gaussian(3, 1, 3, 3),
        offset=gaussian(1, 3, 1, 1, seed=5),
        gain=gaussian(3, 1, 1, seed=6),
    )
    assert len(lines) == 1
    assert lines[0].startswith("y = Conv[group=3](x, ")


def test_transposed_convolution_scales_its_second_axis() -> None:
    lines, _ = fold(
        "ConvTranspose(x, w)", "y = Mul(c, gain)", w=gaussian(3, 4, 2, 2), gain=CHANNELS
    )
    assert len(lines) == 1


@pytest.mark.parametrize("gain", [gaussian(5, seed=2), np.float32(0.25)])
def test_gemm_takes_vectors_and_scalars(gain: Array) -> None:
    lines, counts = fold(
        "Gemm<transB=1>(x, w, b)", "y = Mul(gain, c)", w=gaussian(5, 7), b=gaussian(5), gain=gain
    )
    assert len(lines) == 1
    assert counts["factors folded"] == 1


@pytest.mark.parametrize(
    ("layer", "rest", "constants"),
    [
        pytest.param("Conv(x, w)", "y = Mul(c, k)", {"k": gaussian(1, 1, 1, 4)}, id="by column"),
        pytest.param("Conv(x, w)", "y = Mul(c, k)", {"k": gaussian(4)}, id="last axis"),
        pytest.param("Conv(x, w)", "y = Mul(c, c)", {}, id="square"),
        pytest.param("Conv(x, w)", "y = Div(k, c)", {"k": np.float32(2)}, id="reciprocal"),
        pytest.param(
            "Conv(x, w)", "m = Mul(c, k)  y = Add(m, c)", {"k": np.float32(2)}, id="read twice"
        ),
        pytest.param("Relu(x)", "y = Mul(c, k)", {"k": np.float32(2)}, id="no linear layer"),
        pytest.param(
            "Gemm<alpha=2.0, transB=1>(x, v)", "y = Mul(c, k)", {"k": np.float32(2)}, id="alpha"
        ),
    ],
)
def test_what_is_not_by_channel_stays(layer: str, rest: str, constants: dict[str, Array]) -> None:
    weights = {"w": gaussian(4, 3, 3, 3)} if "w" in layer else {}
    weights |= {"v": gaussian(5, 7)} if "v)" in layer else {}
    _, counts = fold(layer, rest, **weights, **constants)
    assert not any(counts.values())


def test_quantized_layers_are_left() -> None:
    model = graph_of(
        "g (float[N,3,6,6] x) => (float[N,4,4,4] y) { c = Conv(x, w)  y = Mul(c, k) }",
        w=gaussian(4, 3, 3, 3),
        k=CHANNELS,
    )
    apply(model, InferShapes())
    set_quant(model.graph.initializers["w"], QuantParams.per_tensor(IntegerType.INT8, 0.05, 0))
    [changes] = apply(model, FoldAffine())
    assert not changes.modified


def test_a_division_by_zero_stays_what_it_is() -> None:
    model = graph_of(
        "g (float[N,3,6,6] x) => (float[N,4,4,4] y) { c = Conv(x, w)  y = Div(c, k) }",
        w=gaussian(4, 3, 3, 3),
        k=np.float32(0),
    )
    apply(model, InferShapes())
    [changes] = apply(model, FoldAffine())
    assert not changes.modified
