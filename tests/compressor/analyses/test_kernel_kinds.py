"""Integer nodes that compute, by the kernel that runs them."""

from compressor.analyses.kernel_kinds import kernel_kinds
from tests.graphs import gaussian, graph_of
from tests.quantized import GRAPHS, quantized


def test_convolutions_count_apart_by_extent_and_groups() -> None:
    model = graph_of(
        "g (float[N,4,6,6] x) => (float[N,4,6,6] y) {"
        " a = Conv<pads=[1,1,1,1]>(x, k) r = Relu(a) b = Conv<group=4>(r, d)"
        " c = Conv<group=2>(b, e) y = Add(c, r) }",
        k=gaussian(4, 4, 3, 3),
        d=gaussian(4, 1, 1, 1),
        e=gaussian(4, 2, 1, 1),
    )
    quantized(model)
    kinds = kernel_kinds(model.graph)
    assert list(kinds) == ["Conv 3x3", "grouped Conv 1x1", "depthwise Conv 1x1", "Add"]
    assert {kind: len(names) for kind, names in kinds.items()} == dict.fromkeys(kinds, 1)


def test_a_float_graph_has_none() -> None:
    assert kernel_kinds(GRAPHS["residual"]().graph) == {}
