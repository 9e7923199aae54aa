"""Matrix products hand on floats where only float nodes read them, and nothing else does."""

import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.integer_regions import integer_regions
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of
from tests.quantized import GRAPHS


def giving_floats(model: ir.Model) -> set[str]:
    InferShapes().run(model, PassContext())
    regions = integer_regions(model.graph)
    assert regions.float_results <= regions.integer
    return {node.outputs[0].name or "" for node in regions.float_results}


def linear(body: str, **more: np.ndarray) -> ir.Model:
    return graph_of(f"g (float[N,4] x) => (float[N,4] y) {{ {body} }}", w=gaussian(4, 4), **more)


def test_linear_layers_of_a_transformer_give_floats_but_not_into_a_clamp() -> None:
    assert giving_floats(GRAPHS["transformer"]()) == {"q", "k", "v", "o", "down"}


@pytest.mark.parametrize("name", ["residual", "squeeze_excite", "concat"])
def test_convolutional_networks_stay_integer_to_the_end(name: str) -> None:
    assert giving_floats(GRAPHS[name]()) == set()


def test_arithmetic_between_a_layer_and_softmax_is_float() -> None:
    model = linear(
        "a = Gemm<transB=1>(x, w) b = Mul(a, s) c = Gemm<transB=1>(x, w) d = Add(b, c)"
        " y = Softmax(d)",
        s=np.array(0.5, np.float32),
    )
    assert giving_floats(model) == {"a", "c"}


def test_a_layer_that_an_integer_node_reads_as_well_gives_integers() -> None:
    model = linear("a = Gemm<transB=1>(x, w) b = Softmax(a) c = Gemm<transB=1>(a, w) y = Add(b, c)")
    assert giving_floats(model) == {"c"}


def test_the_last_layer_of_an_integer_network_gives_integers() -> None:
    assert giving_floats(linear("a = Gemm<transB=1>(x, w) y = Gemm<transB=1>(a, w)")) == set()


def test_the_last_layer_behind_float_nodes_gives_floats() -> None:
    assert giving_floats(linear("a = Softmax(x) y = Gemm<transB=1>(a, w)")) == {"y"}


def test_a_sum_with_a_convolution_is_integer() -> None:
    model = graph_of(
        "g (float[N,4,1,1] x) => (float[N,4,1,1] y) {"
        " a = Conv(x, k) r = Flatten(x) l = Gemm<transB=1>(r, w) b = Reshape(l, t)"
        " c = Add(a, b) y = Softmax<axis=1>(c) }",
        k=gaussian(4, 4, 1, 1),
        w=gaussian(4, 4),
        t=np.array([-1, 4, 1, 1]),
    )
    assert giving_floats(model) == set()
