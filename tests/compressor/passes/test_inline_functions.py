import onnx_ir as ir

from compressor.passes.inline_functions import InlineFunctions
from tests.graphs import apply, assert_same, graph_of

CALLS = """<ir_version: 10, opset_import: ["" : 21, "local" : 1]>
g (float[N,3] x) => (float[N,3] y) {
    a = local.outer(x)
    b = local.outer(a)
    y = Neg(b)
}
<domain: "local", opset_import: ["" : 21, "local" : 1]>
outer (x) => (y) { z = local.inner<slope = 0.25>(x) y = Add(z, x) }
<domain: "local", opset_import: ["" : 21]>
inner <slope> (x) => (y) { y = LeakyRelu<alpha: float = @slope>(x) }
"""


def test_nested_calls_become_flat() -> None:
    model = ir.from_onnx_text(CALLS)
    before = model.clone()
    [changes] = apply(model, InlineFunctions())
    assert changes.counts == {"functions inlined": 2}
    assert not model.functions
    assert [node.op_type for node in model.graph] == [
        "LeakyRelu", "Add", "LeakyRelu", "Add", "Neg",
    ]  # fmt: skip
    assert {node.domain for node in model.graph} == {""}
    assert_same(before, model)


def test_attribute_of_the_call_is_bound() -> None:
    model = ir.from_onnx_text(CALLS)
    apply(model, InlineFunctions())
    assert model.graph[0].attributes.get_float("alpha") == 0.25


def test_unused_function_is_dropped() -> None:
    text = CALLS.replace("b = local.outer(a)", "b = Relu(a)").replace(
        "a = local.outer(x)", "a = Relu(x)"
    )
    model = ir.from_onnx_text(text)
    apply(model, InlineFunctions())
    assert not model.functions


def test_flat_graph_is_left_alone() -> None:
    model = graph_of("g (float[N,3] x) => (float[N,3] y) { y = Relu(x) }")
    [changes] = apply(model, InlineFunctions())
    assert not changes.modified
