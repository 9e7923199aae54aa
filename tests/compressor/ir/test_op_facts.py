import numpy as np
import onnx
import onnx_ir as ir
import pytest

from compressor.ir.op_facts import (
    FACTS,
    NORMALIZATIONS,
    Role,
    data_inputs,
    facts_of,
    float_constants,
)
from compressor.passes.convert_opset import CANONICAL_OPSET
from tests.graphs import gaussian, graph_of


def node(text: str) -> ir.Node:
    model = graph_of(
        f"g (float[N,3,4,4] x, float[3,3] fed) => (float y) {{ y = {text} }}",
        w=gaussian(5, 3, 3, 3),
        m=gaussian(4, 4),
        pads=np.array([0, 0, 1, 1, 0, 0, 1, 1]),
        zero=np.float32(0),
        one=np.float32(1),
    )
    return model.graph[0]


@pytest.mark.parametrize("op_type", sorted({*FACTS, *NORMALIZATIONS} - {"RMSNormalization"}))
def test_every_row_is_an_operator(op_type: str) -> None:
    assert onnx.defs.get_schema(op_type, CANONICAL_OPSET).name == op_type


def test_fixed_parameters_belong_to_squashing_functions() -> None:
    """Sigmoid and Tanh have prescribed outputs: 1/256 from -128, 1/128 around 0."""
    fixed = {op: facts.output for op, facts in FACTS.items() if facts.output is not None}
    assert {op: (p.scale[0], p.zero_point[0]) for op, p in fixed.items()} == {
        "Sigmoid": (1 / 256, -128),
        "Tanh": (1 / 128, 0),
    }


@pytest.mark.parametrize(
    ("text", "role", "axis"),
    [
        ("Conv(x, w)", Role.COMPUTE, 0),
        ("Gemm(m, m)", Role.COMPUTE, 1),
        ("Gemm<transB=1>(m, m)", Role.COMPUTE, 0),
        ("MatMul(x, m)", Role.COMPUTE, 1),
        ("MatMul(x, x)", Role.FLOAT, None),
        ("MatMul(m, x)", Role.FLOAT, None),
        ("Gemm(fed, fed)", Role.FLOAT, None),
        ("Gemm<transB=1>(fed, fed)", Role.FLOAT, None),
        ("Conv(x, fed)", Role.FLOAT, None),
        ("Softmax(x)", Role.FLOAT, None),
        ("Pad(x, pads)", Role.MOVEMENT, None),
        ("Pad(x, pads, zero)", Role.MOVEMENT, None),
        ("Pad(x, pads, one)", Role.FLOAT, None),
        ("Pad(x, pads, fed)", Role.FLOAT, None),
        ('Pad<mode="reflect">(x, pads, one)', Role.MOVEMENT, None),
        ("custom.Relu(x)", Role.FLOAT, None),
    ],
)
def test_role_of_a_use(text: str, role: Role, axis: int | None) -> None:
    facts = facts_of(node(text))
    assert (facts.role, facts.weight_axis) == (role, axis)


def test_operands() -> None:
    pad = node("Pad(x, pads, zero)")
    assert [value.name for value in data_inputs(pad)] == ["x"]
    assert [value.name for value in float_constants(pad)] == ["zero"]
    product = node("Conv(x, w, fed)")
    assert [value.name for value in data_inputs(product)] == ["x", "fed"]
    assert [value.name for value in float_constants(product)] == ["w"]
