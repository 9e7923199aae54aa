"""Channels can be scaled where only layers read them, and where their maker has factors."""

import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.channel_sites import channel_sites
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of
from tests.quantized import GRAPHS


def sites(model: ir.Model) -> dict[str, tuple[str, list[str]]]:
    """Return, by activation, the operator that takes its factors and the layers that read it."""
    InferShapes().run(model, PassContext())
    return {
        site.value.name or "": (
            "" if site.maker is None else site.maker.op_type,
            [layer.outputs[0].name or "" for layer in site.layers],
        )
        for site in channel_sites(model.graph)
    }


def convolutions(body: str) -> ir.Model:
    return graph_of(
        f"g (float[N,4,6,6] x) => (float[N,4,6,6] y) {{ {body} }}",
        k=gaussian(4, 4, 1, 1),
        d=gaussian(4, 1, 1, 1),
        e=gaussian(4, 4, 1, 1, seed=2),
    )


@pytest.mark.parametrize(
    "between", ["r = Relu(a)", "r = LeakyRelu(a)", "q = Relu(a) r = MaxPool<kernel_shape=[1,1]>(q)"]
)
def test_convolutions_behind_each_other(between: str) -> None:
    found = sites(convolutions(f"a = Conv(x, k) {between} y = Conv(r, e)"))
    assert found["a"] == ("Conv", ["y"])


def test_a_site_may_have_several_layers_and_a_depthwise_one() -> None:
    model = convolutions("a = Conv(x, k) b = Conv<group=4>(a, d) c = Conv(a, e) y = Add(b, c)")
    assert sites(model)["a"] == ("Conv", ["b", "c"])


@pytest.mark.parametrize(
    "body",
    [
        "a = Conv(x, k) b = Conv(a, e) y = Add(a, b)",  # a sum reads it as well
        "a = Conv(x, k) b = Sigmoid(a) y = Conv(b, e)",  # no scaling passes a Sigmoid
        "a = Conv(x, k) b = Clip(a) y = Conv(b, e)",
    ],
)
def test_convolutions_that_cannot_share_factors(body: str) -> None:
    assert "a" not in sites(convolutions(body))


def test_an_output_of_the_graph_keeps_its_channels() -> None:
    model = graph_of(
        "g (float[N,4,6,6] x) => (float[N,4,6,6] a, float[N,4,6,6] y) {"
        " a = Conv(x, k) y = Conv(a, k) }",
        k=gaussian(4, 4, 1, 1),
    )
    assert "a" not in sites(model)


def test_normalizations_of_a_transformer_and_what_needs_a_multiplication() -> None:
    found = sites(GRAPHS["transformer"]())
    assert {maker for maker, _ in found.values()} <= {"", "Gemm", "LayerNormalization"}
    assert any(len(layers) == 3 for _, layers in found.values())  # queries, keys and values


def test_pooled_channels_reach_a_matrix_product() -> None:
    model = graph_of(
        "g (float[N,4,6,6] x) => (float[N,5] y) {"
        " a = Conv(x, k) p = GlobalAveragePool(a) f = Flatten(p) y = Gemm<transB=1>(f, w) }",
        k=gaussian(4, 4, 1, 1),
        w=gaussian(5, 4),
    )
    assert sites(model)["a"] == ("Conv", ["y"])


def test_flattened_images_are_no_channels() -> None:
    model = graph_of(
        "g (float[N,4,2,2] x) => (float[N,5] y) {"
        " a = Conv(x, k) f = Flatten(a) y = Gemm<transB=1>(f, w) }",
        k=gaussian(4, 4, 1, 1),
        w=gaussian(5, 16).astype(np.float32),
    )
    assert "a" not in sites(model)
