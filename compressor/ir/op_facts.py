"""What quantization must know of each operator: one row an operator, data only.

The constraints are those of the TensorFlow Lite 8-bit quantization specification, which every
supported runtime can execute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import onnx_ir as ir

from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import constant_of, is_constant


class Role(Enum):
    """How an operator behaves in an integer graph."""

    COMPUTE = "multiplies activations by constant weights, accumulates in int32"
    ARITHMETIC = "integer kernel with its own output scale"
    CLAMP = "cuts the range; free when the producer's scale already cuts there"
    MOVEMENT = "moves elements; input and output share one scale"
    JOIN = "moves elements of several inputs into one output of one scale"
    LOOKUP = "picks rows of a constant table, which can be stored as integers"
    RECURRENT = "stays float, but its weights can be stored as integers"
    FLOAT = "has no integer kernel worth having, or loses too much in one"


@dataclass(frozen=True, kw_only=True)
class OpFacts:
    """Quantization facts of one operator.

    Attributes:
        role: behaviour in an integer graph.
        weight_axis: axis of the scales: output channels of input 1 for COMPUTE, columns of input 0
            for LOOKUP.
        output: parameters that the integer kernel fixes, whatever the data.
        gate: a squashing function; integer only when what reads it is integer.
    """

    role: Role
    weight_axis: int | None = None
    output: QuantParams | None = None
    gate: bool = False


_UNIT_INTERVAL = QuantParams.per_tensor(IntegerType.INT8, 1 / 256, -128)
_SYMMETRIC_UNIT = QuantParams.per_tensor(IntegerType.INT8, 1 / 128, 0)
_ARITHMETIC = OpFacts(role=Role.ARITHMETIC)
_CLAMP = OpFacts(role=Role.CLAMP)
_MOVEMENT = OpFacts(role=Role.MOVEMENT)
_FLOAT = OpFacts(role=Role.FLOAT)

FACTS: Mapping[str, OpFacts] = {
    "Conv": OpFacts(role=Role.COMPUTE, weight_axis=0),
    "Gemm": OpFacts(role=Role.COMPUTE, weight_axis=1),
    "MatMul": OpFacts(role=Role.COMPUTE, weight_axis=1),
    "Add": _ARITHMETIC,
    "Sub": _ARITHMETIC,
    "Mul": _ARITHMETIC,
    "GlobalAveragePool": _ARITHMETIC,
    "HardSwish": _ARITHMETIC,
    "HardSigmoid": OpFacts(role=Role.ARITHMETIC, gate=True),
    "Sigmoid": OpFacts(role=Role.ARITHMETIC, output=_UNIT_INTERVAL, gate=True),
    "Tanh": OpFacts(role=Role.ARITHMETIC, output=_SYMMETRIC_UNIT, gate=True),
    "Relu": _CLAMP,
    "Clip": _CLAMP,
    "AveragePool": _MOVEMENT,
    "DepthToSpace": _MOVEMENT,
    "Expand": _MOVEMENT,
    "Flatten": _MOVEMENT,
    "Gather": _MOVEMENT,
    "MaxPool": _MOVEMENT,
    "Pad": _MOVEMENT,
    "Reshape": _MOVEMENT,
    "Resize": _MOVEMENT,
    "Slice": _MOVEMENT,
    "SpaceToDepth": _MOVEMENT,
    "Split": _MOVEMENT,
    "Squeeze": _MOVEMENT,
    "Transpose": _MOVEMENT,
    "Unsqueeze": _MOVEMENT,
    "Concat": OpFacts(role=Role.JOIN),
    "GRU": OpFacts(role=Role.RECURRENT),
    "LSTM": OpFacts(role=Role.RECURRENT),
    "RNN": OpFacts(role=Role.RECURRENT),
}

NORMALIZATIONS = frozenset(
    {"LayerNormalization", "RMSNormalization", "GroupNormalization", "InstanceNormalization"}
)


def facts_of(node: ir.Node) -> OpFacts:
    """Return the facts of *node*'s operator in this use of it."""
    facts = FACTS.get(node.op_type, _FLOAT) if node.domain in ("", "ai.onnx") else _FLOAT
    if facts.role is Role.COMPUTE and not is_constant(node.inputs[1]):
        return _FLOAT
    if node.op_type == "Gemm" and node.attributes.get_int("transB"):
        return OpFacts(role=Role.COMPUTE, weight_axis=0)
    if node.op_type == "Gather" and _reads_table(node):
        return OpFacts(role=Role.LOOKUP, weight_axis=1)
    if node.op_type == "Pad" and not _pads_with_zero(node):
        return _FLOAT
    if node.op_type == "Resize" and node.attributes.get_string("mode", "nearest") == "cubic":
        return _FLOAT  # its weights are negative in part: results leave the input's range
    return facts


def _reads_table(node: ir.Node) -> bool:
    """Whether *node* picks rows of a constant matrix of real numbers, as an embedding does."""
    table = node.inputs[0]
    if table is None or table.const_value is None or table.is_graph_input():
        return False
    is_matrix = table.dtype == ir.DataType.FLOAT and len(table.const_value.shape) == 2
    return is_matrix and node.attributes.get_int("axis", 0) == 0


def _pads_with_zero(node: ir.Node) -> bool:
    """Whether *node* pads by zeros or by values of its input: both have the input's range."""
    if node.attributes.get_string("mode", "constant") != "constant" or len(node.inputs) < 3:
        return True
    value = node.inputs[2]
    constant = constant_of(value)
    return value is None or (constant is not None and not constant.any())


def data_inputs(node: ir.Node) -> list[ir.Value]:
    """Return the float tensors that *node* reads and does not know at compile time."""
    return [
        value
        for value in node.inputs
        if value is not None and value.const_value is None and value.dtype == ir.DataType.FLOAT
    ]


def float_constants(node: ir.Node) -> list[ir.Value]:
    """Return the float constants among *node*'s inputs."""
    return [
        value
        for value in node.inputs
        if value is not None
        and value.const_value is not None
        and value.dtype == ir.DataType.FLOAT
        and not value.is_graph_input()
    ]
