"""Operators of a graph are seen as a library would run them."""

from pathlib import Path

import onnx_ir as ir
import pytest

from compressor.passes.infer_shapes import InferShapes
from compressor.passes.protocol import PassContext
from runtimes.simulator.graph import read_graph, works_of
from runtimes.simulator.work import Kind, Work
from tests.graphs import gaussian, graph_of


def works(text: str, **constants: object) -> list[Work]:
    model: ir.Model = graph_of(text, **constants)
    InferShapes().run(model, PassContext())
    return works_of(model.graph)


def test_a_convolution_and_its_activation_are_one() -> None:
    conv, relu = works(
        "g (float[N,6,8,10] x) => (z) {"
        " y = Conv<pads=[1,1,1,1], strides=[2,2]>(x, w)\n z = Relu(y) }",
        w=gaussian(4, 6, 3, 3),
    )
    assert conv.kind is Kind.CONV
    assert (conv.macs, conv.weights) == (4 * 5 * 4 * 6 * 9, 4 * 6 * 9)
    assert (conv.width, conv.height, conv.stride, conv.window) == (5, 4, 2, 9)
    assert (conv.channels_in, conv.channels_out) == (6, 4)
    assert (conv.elements_in, conv.elements_out) == (6 * 80, 4 * 20)
    assert relu.kind is Kind.FREE


@pytest.mark.parametrize(("group", "inner", "kind"), [(6, 1, Kind.DEPTHWISE), (2, 3, Kind.CONV)])
def test_groups(group: int, inner: int, kind: Kind) -> None:
    (conv,) = works(
        f"g (float[N,6,8,8] x) => (y) {{ y = Conv<group={group}>(x, w) }}",
        w=gaussian(6, inner, 3, 3),
    )
    assert (conv.kind, conv.groups, conv.channels_in) == (kind, group, 6)


def test_an_activation_that_others_bypass_is_an_operator() -> None:
    found = works(
        "g (float[N,6,8,8] x) => (z, y) { y = Conv(x, w)\n z = Relu(y) }", w=gaussian(6, 6, 1, 1)
    )
    # The convolution's own result is an output too: it must be written before it is clamped.
    assert [work.kind for work in found] == [Kind.CONV, Kind.FREE]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("y = Gemm(x, w)", Kind.DENSE),
        ("y = Sigmoid(x)", Kind.TRANSCENDENTAL),
        ("y = Add(x, x)", Kind.ELEMENTWISE),
        ("y = Concat<axis=1>(x, x)", Kind.MOVEMENT),
        ("y = Flatten(x)", Kind.FREE),
        ("y = Erf(x)", Kind.UNCOVERED),
    ],
)
def test_kinds(body: str, kind: Kind) -> None:
    (work,) = works(f"g (float[N,6] x) => (y) {{ {body} }}", w=gaussian(6, 4))
    assert work.kind is kind


@pytest.mark.parametrize(
    "text",
    [
        "g (float[N,5,6] x) => (y) { y = MatMul(x, w) }",
        "g (float[N,5,6] x, float[N,6,4] w2) => (y) { y = MatMul(x, w2) }",
    ],
)
def test_products_of_many_rows_were_never_measured(text: str) -> None:
    (work,) = works(text, w=gaussian(6, 4))
    assert work.kind is Kind.UNCOVERED
    assert work.macs == 5 * 6 * 4


def test_integers_of_a_real_file(shared_data: Path) -> None:
    folder = shared_data / "models" / "mlperf_dscnn_kws"
    found = works_of(read_graph(folder / "reference_int8.tflite"))
    assert sum(work.macs for work in found) == 2_656_768
    layers = [work for work in found if work.macs]
    assert all(work.integer for work in layers)
    floats = works_of(read_graph(folder / "model_float.tflite"))
    assert not any(work.integer for work in floats)
