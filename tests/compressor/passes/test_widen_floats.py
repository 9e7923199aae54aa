import numpy as np
import onnx_ir as ir
import pytest

from compressor.passes.widen_floats import WidenFloats
from tests.graphs import apply, feeds_for, gaussian, graph_of, lines_of, run_onnx
from tests.tolerances import float16_network


@pytest.mark.parametrize("kind", ["float16", "double"])
def test_interface_keeps_its_type_and_nothing_else_does(kind: str) -> None:
    dtype = np.dtype("float64" if kind == "double" else kind)
    model = graph_of(
        f"g ({kind}[N,8] x) => ({kind}[N,4] y, {kind}[N,4] z) "
        "{ h = MatMul(x, w) y = Relu(h) z = Add(h, y) }",
        w=gaussian(8, 4).astype(dtype),
    )
    before = model.clone()
    [changes] = apply(model, WidenFloats())
    assert changes.counts == {dtype.name if kind == "float16" else "double": 1}
    inner = [v.dtype for n in model.graph for v in n.outputs if n.op_type != "Cast"]
    assert set(inner) == {ir.DataType.FLOAT}
    assert {v.dtype for v in model.graph.initializers.values()} == {ir.DataType.FLOAT}
    feeds = feeds_for(before)
    want, have = run_onnx(before, feeds), run_onnx(model, feeds)
    for name, expected in want.items():
        assert have[name].dtype == expected.dtype == dtype
        bound = 8 * float16_network(layers=3) * np.abs(expected).max()
        assert np.abs(have[name] - expected).max() <= bound


def test_types_in_attributes_follow() -> None:
    model = graph_of(
        """g (int64[2] s, double[2] x) => (double[2] y) {
            c = ConstantOfShape<value = double[1] {0.5}>(t)
            k = Cast<to=11>(s) a = Add(c, k) y = Mul(a, x)
        }""",
        t=np.array([2]),
    )
    before = model.clone()
    apply(model, WidenFloats())
    feeds = {"s": np.array([3, 4]), "x": np.array([2, 0.5])}
    np.testing.assert_array_equal(run_onnx(model, feeds)["y"], run_onnx(before, feeds)["y"])


def test_subgraphs_compute_in_float32_too() -> None:
    model = graph_of(
        """g (float16[2] x, bool c) => (float16[2] y) {
            y = If (c) <
                then_branch = t () => (float16[2] a) { a = Neg(x) },
                else_branch = e () => (float16[2] b) { b = Abs(x) }
            >
        }"""
    )
    before = model.clone()
    apply(model, WidenFloats())
    for truth in (True, False):
        feeds = {"x": np.array([2, -0.5], np.float16), "c": np.array(truth)}
        np.testing.assert_array_equal(run_onnx(model, feeds)["y"], run_onnx(before, feeds)["y"])


def test_float32_is_left_alone() -> None:
    model = graph_of("g (float[N] x) => (float[N] y) { y = Neg(x) }")
    [changes] = apply(model, WidenFloats())
    assert not changes.modified
    assert lines_of(model) == ["y = Neg(x)"]


def test_sequences_are_left_alone() -> None:
    model = graph_of(
        "g (float16[2] x) => (float16[2] y) { s = SequenceConstruct(x) y = SequenceAt(s, i) }",
        i=np.asarray(0),
    )
    [changes] = apply(model, WidenFloats())
    assert not changes.modified
    assert changes.skipped
