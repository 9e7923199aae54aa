from collections.abc import Callable

import onnx_ir as ir
import pytest

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    set_precision,
    set_quant,
)
from compressor.ir.interface import Interface, interface_of
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.verify import verify
from tests.graphs import gaussian, graph_of

PARAMS = QuantParams.per_tensor(IntegerType.INT8, 0.5, 3)
OTHER = QuantParams.per_tensor(IntegerType.INT8, 0.25, 3)
TEXT = """g (float[N,3] x) => (float[N,3] y) {
    a = Gemm<transB=1>(x, w)
    b = Neg(a)
    y = Relu(b)
}"""


def float_model() -> ir.Model:
    return graph_of(TEXT, w=gaussian(3, 3))


def convert(value: ir.Value, name: str, params: QuantParams | None) -> ir.Node:
    node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN, name=f"convert_{name}")
    result = node.outputs[0]
    result.name, result.shape, result.type = name, value.shape, ir.TensorType(ir.DataType.FLOAT)
    set_quant(result, params)
    return node


def integer_model() -> ir.Model:
    """Convert, an integer Gemm, Convert, and the rest in float."""
    model = float_model()
    gemm, negate, _ = list(model.graph)
    for node in model.graph:
        node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        node.outputs[0].shape = ir.Shape(["N", 3])
    enter = convert(model.graph.inputs[0], "x_quantized", PARAMS)
    model.graph.insert_before(gemm, enter)
    gemm.replace_input_with(0, enter.outputs[0])
    set_quant(gemm.outputs[0], OTHER)
    weight = model.graph.initializers["w"]
    set_quant(weight, QuantParams.per_channel(IntegerType.INT8, [0.5, 1, 2], 0))
    set_precision(gemm, Precision.INTEGER)
    leave = convert(gemm.outputs[0], "a_float", None)
    model.graph.insert_after(gemm, leave)
    negate.replace_input_with(0, leave.outputs[0])
    return model


def problem_with(model: ir.Model, interface: Interface | None = None) -> str:
    with pytest.raises(EdgecError) as caught:
        verify(model, interface or interface_of(float_model()), "some_pass")
    assert caught.value.code is Code.PASS_BROKE_GRAPH
    assert "after some_pass" in caught.value.what
    return caught.value.what


def test_valid_graphs_pass() -> None:
    verify(float_model(), interface_of(float_model()), "")
    verify(integer_model(), interface_of(float_model()), "")


def rename_output(model: ir.Model) -> None:
    model.graph.outputs[0].name = "z"


def change_type(model: ir.Model) -> None:
    model.graph.inputs[0].type = ir.TensorType(ir.DataType.DOUBLE)


def change_rank(model: ir.Model) -> None:
    model.graph.inputs[0].shape = ir.Shape(["N", 3, 1])


def change_length(model: ir.Model) -> None:
    model.graph.outputs[0].shape = ir.Shape(["N", 4])


def drop_output(model: ir.Model) -> None:
    model.graph.outputs.clear()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (rename_output, "outputs changed"),
        (change_type, "inputs changed"),
        (change_rank, "shape of input"),
        (change_length, "shape of output"),
        (drop_output, "outputs changed"),
    ],
)
def test_interface(change: Callable[[ir.Model], None], words: str) -> None:
    model = float_model()
    change(model)
    assert words in problem_with(model)


def test_open_dimension_may_become_known() -> None:
    model = float_model()
    model.graph.inputs[0].shape = ir.Shape([1, 3])
    verify(model, interface_of(float_model()), "")


def read_what_is_nowhere(model: ir.Model) -> None:
    model.graph[1].replace_input_with(0, ir.Value(name="nowhere"))


def swap_order(model: ir.Model) -> None:
    first = model.graph[0]
    model.graph.remove(first)
    model.graph.insert_after(model.graph[0], first)


def name_twice(model: ir.Model) -> None:
    model.graph[1].outputs[0].name = "a"


def output_from_nowhere(model: ir.Model) -> None:
    stray = ir.Value(name="y", shape=ir.Shape(["N", 3]), type=ir.TensorType(ir.DataType.FLOAT))
    model.graph.outputs[0] = stray


def unknown_operator(model: ir.Model) -> None:
    model.graph[1].op_type = "Negate"


def too_few_inputs(model: ir.Model) -> None:
    model.graph[0].resize_inputs(1)


def too_many_inputs(model: ir.Model) -> None:
    model.graph[1].resize_inputs(2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (read_what_is_nowhere, "reads 'nowhere' before it exists"),
        (swap_order, "reads 'a' before it exists"),
        (name_twice, "'a' is used twice"),
        (output_from_nowhere, "'y' is not computed"),
        (unknown_operator, "has no operator Negate"),
        (too_few_inputs, "has 1 inputs"),
        (too_many_inputs, "has 2 inputs"),
    ],
)
def test_structure(change: Callable[[ir.Model], None], words: str) -> None:
    model = float_model()
    change(model)
    assert words in problem_with(model)


def wrong_number_of_scales(model: ir.Model) -> None:
    weight = model.graph.initializers["w"]
    set_quant(weight, QuantParams.per_channel(IntegerType.INT8, [1, 1], 0))


def axis_beyond_the_rank(model: ir.Model) -> None:
    weight = model.graph.initializers["w"]
    set_quant(weight, QuantParams.per_channel(IntegerType.INT8, [1, 1, 1], 2))


def float_input_of_an_integer_node(model: ir.Model) -> None:
    gemm = model.graph[1]
    gemm.replace_input_with(0, model.graph.inputs[0])


def float_output_of_an_integer_node(model: ir.Model) -> None:
    gemm, leave, negate = model.graph[1], model.graph[2], model.graph[3]
    negate.replace_input_with(0, gemm.outputs[0])
    model.graph.remove(leave)
    set_quant(gemm.outputs[0], None)
    gemm.op_type = "Mul"  # a matrix product could do it


def float_weight_of_an_integer_node(model: ir.Model) -> None:
    set_quant(model.graph.initializers["w"], None)


def integer_input_of_a_float_node(model: ir.Model) -> None:
    model.graph[3].replace_input_with(0, model.graph[1].outputs[0])


def integer_output_of_a_float_node(model: ir.Model) -> None:
    set_quant(model.graph[3].outputs[0], PARAMS)


def convert_to_the_same(model: ir.Model) -> None:
    set_quant(model.graph[2].outputs[0], OTHER)


def integer_graph_output(model: ir.Model) -> None:
    model.graph.remove(model.graph[4])
    result = model.graph[3].outputs[0]
    model.graph.outputs[0] = result
    result.name = "y"
    set_precision(model.graph[3], Precision.INTEGER)
    model.graph[3].replace_input_with(0, model.graph[1].outputs[0])
    model.graph.remove(model.graph[2])
    set_quant(result, PARAMS)


def integer_graph_input(model: ir.Model) -> None:
    set_quant(model.graph.inputs[0], OTHER)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (wrong_number_of_scales, "'w' has 2 scales for axis 0"),
        (axis_beyond_the_rank, "'w' has 3 scales for axis 2"),
        (float_input_of_an_integer_node, "is integer but has a float operand"),
        (float_output_of_an_integer_node, "is integer but has a float operand"),
        (float_weight_of_an_integer_node, "is integer but has a float operand"),
        (integer_input_of_a_float_node, "is float but has an integer operand"),
        (integer_output_of_a_float_node, "is float but has an integer operand"),
        (convert_to_the_same, "converts to the representation it already has"),
        (integer_graph_output, "outputs changed from"),
        (integer_graph_input, "inputs changed from"),
    ],
)
def test_annotations(change: Callable[[ir.Model], None], words: str) -> None:
    model = integer_model()
    change(model)
    assert words in problem_with(model)


def test_data_movement_keeps_its_scale() -> None:
    model = graph_of(
        "g (float[2,3] x) => (float[3,2] y) { a = Transpose<perm=[1,0]>(x) y = Neg(a) }"
    )
    move, negate = list(model.graph)
    move.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
    enter = convert(model.graph.inputs[0], "x_quantized", PARAMS)
    leave = convert(move.outputs[0], "a_float", None)
    model.graph.insert_before(move, enter)
    model.graph.insert_after(move, leave)
    move.replace_input_with(0, enter.outputs[0])
    negate.replace_input_with(0, leave.outputs[0])
    set_precision(move, Precision.INTEGER)
    interface = interface_of(model)
    set_quant(move.outputs[0], PARAMS)
    verify(model, interface, "")
    set_quant(move.outputs[0], OTHER)
    assert "moves integers from one scale to another" in problem_with(model, interface)
