import numpy as np
import onnx_ir as ir
import pytest

from compressor.analyses.cost import cost_of, macs_of
from compressor.ir.annotations import set_quant
from compressor.ir.quant import IntegerType, QuantParams
from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from tests.graphs import gaussian, graph_of


def inferred(text: str, **constants: np.ndarray) -> ir.Model:
    model = graph_of(text, **constants)
    InferShapes().run(model, PassContext())
    return model


@pytest.mark.parametrize(
    ("attributes", "weight", "macs"),
    [
        ("pads=[1,1,1,1]", (4, 6, 3, 3), 8 * 8 * 4 * 6 * 9),
        ("strides=[2,2], pads=[1,1,1,1]", (4, 6, 3, 3), 4 * 4 * 4 * 6 * 9),
        ("group=2", (4, 3, 1, 1), 8 * 8 * 4 * 3),
        ("group=6", (6, 1, 3, 3), 6 * 6 * 6 * 9),
        ("dilations=[2,2]", (4, 6, 3, 3), 4 * 4 * 4 * 6 * 9),
    ],
)
def test_convolution(attributes: str, weight: tuple[int, ...], macs: int) -> None:
    model = inferred(
        f"g (float[N,6,8,8] x) => (y) {{ y = Conv<{attributes}>(x, w) }}", w=gaussian(*weight)
    )
    assert macs_of(model.graph[0]) == macs


def test_transposed_convolution_counts_each_input_once_per_tap() -> None:
    model = inferred(
        "g (float[N,6,5,5] x) => (y) { y = ConvTranspose<strides=[2,2]>(x, w) }",
        w=gaussian(6, 4, 3, 3),
    )
    assert macs_of(model.graph[0]) == 5 * 5 * 6 * 4 * 9


@pytest.mark.parametrize(
    ("text", "macs"),
    [
        ("g (float[N,6] x) => (y) { y = Gemm(x, w) }", 6 * 4),
        ("g (float[3,6] x) => (y) { y = Gemm(x, w) }", 3 * 6 * 4),
        ("g (float[N,6] x) => (y) { y = MatMul(x, w) }", 6 * 4),
        ("g (float[N,5,6] x) => (y) { y = MatMul(x, w) }", 5 * 6 * 4),
        ("g (float[N,5,6] x, float[N,6,7] z) => (y) { y = MatMul(x, z) }", 5 * 6 * 7),
        ("g (float[N,6] x) => (y) { y = Relu(x) }", 0),
    ],
)
def test_products(text: str, macs: int) -> None:
    assert macs_of(inferred(text, w=gaussian(6, 4)).graph[0]) == macs


@pytest.mark.parametrize(("layout", "shape"), [(0, "7,N,3"), (1, "N,7,3")])
def test_recurrence_counts_every_step(layout: int, shape: str) -> None:
    model = inferred(
        f"g (float[{shape}] x) => (y) {{ y = GRU<hidden_size=5, layout={layout}>(x, w, r) }}",
        w=gaussian(1, 15, 3),
        r=gaussian(1, 15, 5),
    )
    assert macs_of(model.graph[0]) == 7 * (15 * 3 + 15 * 5)


def test_unknown_shapes_count_nothing() -> None:
    model = graph_of("g (float[N,6] x) => (y) { a = MatMul(x, w) y = Relu(a) }", w=gaussian(6, 4))
    assert cost_of(model).macs == 0


def test_bytes_are_those_of_the_stored_form() -> None:
    model = inferred(
        "g (float[N,6] x) => (y) { a = Gemm(x, w, b) y = Reshape(a, t) }",
        w=gaussian(6, 4),
        b=gaussian(4),
        t=np.array([-1, 2, 2]),
    )
    cost = cost_of(model)
    assert (cost.macs, cost.parameters, cost.weight_bytes) == (24, 28, 4 * 28)
    weight = model.graph.initializers["w"]
    set_quant(weight, QuantParams.per_channel(IntegerType.INT8, np.ones(4), 1))
    assert cost_of(model).parameters == 28
    assert cost_of(model).weight_bytes == 24 + 4 * 4 + 4 * 4
