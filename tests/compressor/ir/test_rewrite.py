import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.annotations import origin_of, quant_of, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import (
    add_constant,
    bypass,
    can_bypass,
    constant_of,
    free_name,
    remove,
    replace_node,
    replace_value,
    set_constant,
    sole_consumer,
)
from tests.graphs import constant, gaussian, graph_of, lines_of

TEXT = "g (float[N,3] x, float[3] fed) => (float[N,3] y) { a = Mul(x, w) b = Relu(a) y = Neg(b) }"
PARAMS = QuantParams.per_tensor(IntegerType.INT8, 0.5, 3)


@pytest.fixture
def model() -> ir.Model:
    return graph_of(TEXT, w=gaussian(3))


def test_constant_of(model: ir.Model) -> None:
    multiply = model.graph[0]
    np.testing.assert_array_equal(constant_of(multiply.inputs[1]), gaussian(3))
    assert constant_of(multiply.inputs[0]) is None
    assert constant_of(multiply.outputs[0]) is None
    assert constant_of(None) is None


def test_initializer_that_may_be_fed_is_no_constant() -> None:
    model = graph_of(
        "g (float[N,3] x, float[3] w) => (float[N,3] y) { y = Mul(x, w) }", w=gaussian(3)
    )
    assert constant_of(model.graph[0].inputs[1]) is None


@pytest.mark.parametrize(
    ("wanted", "free"), [("new", "new"), ("x", "x_1"), ("w", "w_1"), ("b", "b_1"), ("y", "y_1")]
)
def test_free_name(model: ir.Model, wanted: str, free: str) -> None:
    assert free_name(model.graph, wanted) == free


def test_added_constant_is_registered_under_a_free_name(model: ir.Model) -> None:
    value = add_constant(model.graph, "w", [1, 2])
    assert value.name == "w_1"
    assert constant(model, "w_1").tolist() == [1, 2]
    assert (list(value.shape or ()), value.dtype) == ([2], ir.DataType.INT64)


def test_set_constant_changes_shape_and_type_but_no_name(model: ir.Model) -> None:
    value = model.graph.initializers["w"]
    set_constant(value, np.zeros((2, 2), np.float64))
    assert (value.name, list(value.shape or ()), value.dtype) == ("w", [2, 2], ir.DataType.DOUBLE)


def test_replaced_output_keeps_name_shape_and_readers(model: ir.Model) -> None:
    multiply, relu, negate = list(model.graph)
    multiply.outputs[0].shape = None
    replace_value(negate.outputs[0], relu.outputs[0])
    assert model.graph.outputs[0] is relu.outputs[0]
    assert relu.outputs[0].name == "y"
    assert len(model.graph.outputs[0].shape or ()) == 2


def test_known_dimensions_win_over_declared_symbols() -> None:
    model = graph_of("g (float[4,3] x) => (float[N,3] y) { a = Neg(x) y = Identity(a) }")
    inner = model.graph[0].outputs[0]
    inner.shape = ir.Shape([4, None])
    bypass(model.graph[1])
    assert list(inner.shape) == [4, 3]


def test_can_bypass() -> None:
    model = graph_of(
        """g (float[2] x) => (float[2] y, float[2] z, float[2] u, float[2] v) {
            y = Identity(x)
            a = Neg(x)
            z = Identity(a)
            u = Identity(z)
            b = Identity(x)
            v = Neg(b)
        }"""
    )
    answers = {n.outputs[0].name: can_bypass(n) for n in model.graph if n.op_type == "Identity"}
    assert answers == {"y": False, "z": True, "u": False, "b": True}


def test_replacement_inherits_what_it_does_not_set(model: ir.Model) -> None:
    relu = model.graph[1]
    set_quant(relu.outputs[0], PARAMS)
    relu.outputs[0].shape, relu.outputs[0].type = ir.Shape([2, 3]), ir.TensorType(ir.DataType.FLOAT)
    new = ir.node("Abs", [relu.inputs[0]])
    replace_node(relu, [new])
    assert lines_of(model) == ["a = Mul(x, w)", "b = Abs(a)", "y = Neg(b)"]
    result = new.outputs[0]
    assert (list(result.shape or ()), result.dtype) == ([2, 3], ir.DataType.FLOAT)
    assert quant_of(result) == PARAMS
    assert origin_of(new) == ("n1",)


def test_replacement_of_the_last_node_keeps_the_output(model: ir.Model) -> None:
    negate = model.graph[2]
    first = ir.node("Abs", [negate.inputs[0]])
    second = ir.node("Exp", [first.outputs[0]])
    replace_node(negate, [first, second])
    assert [value.name for value in model.graph.outputs] == ["y"]
    assert model.graph.outputs[0].producer() is second
    assert len(model.graph) == 4


def test_used_node_is_not_removed(model: ir.Model) -> None:
    with pytest.raises(ValueError, match=r"[Uu]sed|uses"):
        remove(model.graph[0])


def test_sole_consumer(model: ir.Model) -> None:
    multiply, relu, negate = list(model.graph)
    assert sole_consumer(multiply.outputs[0]) is relu
    assert sole_consumer(negate.outputs[0]) is None
    negate.replace_input_with(0, multiply.outputs[0])
    assert sole_consumer(multiply.outputs[0]) is None
    assert sole_consumer(relu.outputs[0]) is None


def test_one_node_that_reads_twice_is_no_sole_consumer() -> None:
    model = graph_of("g (float[2] x) => (float[2] y) { a = Neg(x) y = Mul(a, a) }")
    assert sole_consumer(model.graph[0].outputs[0]) is None
