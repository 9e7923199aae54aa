from collections.abc import Callable

import numpy as np
import onnx_ir as ir
import pytest

from compressor.ir.annotations import Precision, set_precision, set_quant
from compressor.ir.fingerprint import fingerprint
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import set_constant
from tests.graphs import gaussian, graph_of

PARAMS = QuantParams.per_tensor(IntegerType.INT8, 0.5, 3)


def example() -> ir.Model:
    return graph_of(
        """g (float[N,3] x) => (float[N,3] y) {
            a = Mul(x, w)
            b = LeakyRelu<alpha=0.1>(a)
            y = Add(b, empty_is_allowed)
        }""",
        w=gaussian(3),
        empty_is_allowed=np.float32(1),
    )


def negate_last_bit(model: ir.Model) -> None:
    weight = gaussian(3)
    weight[2] = np.nextafter(weight[2], np.float32(9))
    set_constant(model.graph.initializers["w"], weight)


def attribute(model: ir.Model) -> None:
    model.graph[1].attributes["alpha"] = ir.AttrFloat32("alpha", 0.2)


def operator(model: ir.Model) -> None:
    model.graph[1].op_type = "Elu"


def operands(model: ir.Model) -> None:
    model.graph[2].replace_input_with(0, model.graph[0].outputs[0])


def order_of_operands(model: ir.Model) -> None:
    first, second = model.graph[0].inputs
    model.graph[0].replace_input_with(0, second)
    model.graph[0].replace_input_with(1, first)


def name(model: ir.Model) -> None:
    model.graph[0].outputs[0].name = "other"


def input_shape(model: ir.Model) -> None:
    model.graph.inputs[0].shape = ir.Shape([1, 3])


def opset(model: ir.Model) -> None:
    model.opset_imports[""] = 22


def activation(model: ir.Model) -> None:
    set_quant(model.graph[0].outputs[0], PARAMS)


def weight(model: ir.Model) -> None:
    set_quant(model.graph.initializers["w"], PARAMS)


def precision(model: ir.Model) -> None:
    set_precision(model.graph[0], Precision.INTEGER)


CHANGES: list[Callable[[ir.Model], None]] = [
    negate_last_bit, attribute, operator, operands, order_of_operands, name, input_shape, opset,
    activation, weight, precision,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_affects_execution_changes_it(change: Callable[[ir.Model], None]) -> None:
    model = example()
    change(model)
    assert fingerprint(model) != fingerprint(example())


def test_it_is_the_same_for_equal_graphs_and_copies() -> None:
    assert fingerprint(example()) == fingerprint(example())
    assert fingerprint(example().clone()) == fingerprint(example())
    assert len(fingerprint(example())) == 32


def test_metadata_does_not_count() -> None:
    model = example()
    model.doc_string = model.graph.doc_string = "/home/alice"
    model.metadata_props["x"] = model.graph[0].metadata_props["x"] = "y"
    model.producer_name, model.graph.name = "torch", "main"
    set_precision(model.graph[1], Precision.FLOAT, "another reason")
    assert fingerprint(model) == fingerprint(example())


def test_serialization_does_not_count() -> None:
    model = ir.from_proto(ir.to_proto(example()))
    assert fingerprint(model) == fingerprint(example())


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0,), np.float32),
        np.zeros((3, 0), np.float32),
        np.float32(3),
        np.array([True, False]),
        np.array([b"a", b"bc"], object),
        np.zeros((2, 2), np.float16).T,
    ],
)
def test_constants_of_every_kind(array: np.ndarray) -> None:
    text = "g (float[2] x) => (float[2] y) { c = Identity(k) y = Neg(x) }"
    assert fingerprint(graph_of(text, k=array)) == fingerprint(graph_of(text, k=array))


def test_strings_count() -> None:
    text = "g (float[2] x) => (float[2] y) { c = Identity(k) y = Neg(x) }"
    one, two = (graph_of(text, k=np.array([t], object)) for t in (b"a", b"b"))
    assert fingerprint(one) != fingerprint(two)


def test_tensor_attributes_count() -> None:
    text = """g (float[2] x) => (float[2] y) {
        c = Constant<value = float[2] {1.0, 2.0}>()
        y = Add(x, c)
    }"""
    one, two = graph_of(text), graph_of(text.replace("2.0", "2.5"))
    assert fingerprint(one) != fingerprint(two)
