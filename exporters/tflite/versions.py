"""Operator versions, and the oldest runtime that knows them.

A TFLite file states for each operator the version of its kernel interface that it needs; runtimes
refuse what is too new for them. The numbers follow LiteRT's `op_version.cc` and
`runtime_version.cc`, for the operators and types that this exporter writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

Op = schema.BuiltinOperator

# A table of the schema: its generated classes have no annotations.
Table = Any

_FLOAT, _INT8 = schema.TensorType.FLOAT32, schema.TensorType.INT8
_INT32, _INT64 = schema.TensorType.INT32, schema.TensorType.INT64
_FLOAT16, _BOOL = schema.TensorType.FLOAT16, schema.TensorType.BOOL


@dataclass(frozen=True, kw_only=True)
class _Use:
    """One use of an operator: tensors present, options, and how many input slots."""

    inputs: Sequence[Table]
    outputs: Sequence[Table]
    options: Table
    slots: int

    def type(self, index: int = 0) -> int:
        return int(self.inputs[index].type)

    def rank(self) -> int:
        return max(len(tensor.shape) for tensor in self.inputs)

    def broadcasts(self) -> bool:
        return bool(list(self.inputs[0].shape) != list(self.inputs[1].shape))

    def is_hybrid(self) -> bool:
        """Whether float activations meet integer weights."""
        return bool(self.type() == _FLOAT and self.type(1) == _INT8)

    def is_per_channel(self, index: int) -> bool:
        quantization = self.inputs[index].quantization
        return bool(quantization is not None and len(quantization.scale) > 1)

    def scale(self, tensor: Table) -> float:
        quantization = tensor.quantization
        return 0.0 if quantization is None else float(quantization.scale[0])


def operator_version(
    op: int, inputs: Sequence[Table], outputs: Sequence[Table], options: Table, slots: int
) -> int:
    """Return the version of *op* needed for these tensors (``TensorT``) and *options*.

    *slots* counts the input positions, absent ones included.
    """
    use = _Use(inputs=inputs, outputs=outputs, options=options, slots=slots)
    if op in _RULES:
        return _RULES[op](use)
    if op in _SECOND_FOR_INT8:
        return 2 if use.type() == _INT8 else 1
    return 1


def minimum_runtime(codes: Iterable[tuple[int, int]]) -> str:
    """Return the oldest TensorFlow Lite release that runs all of *codes*: (operator, version)."""
    needed = [_RELEASES.get(code, _FIRST_RELEASE) for code in codes]
    return ".".join(map(str, max(needed, default=_FIRST_RELEASE)))


def _convolution(use: _Use) -> int:
    grouped = use.inputs[0].shape[3] != use.inputs[1].shape[3]
    if grouped:
        return 6
    if use.is_hybrid():
        return 5 if use.is_per_channel(1) else 2
    return 3 if use.type() == _INT8 else 1


def _depthwise(use: _Use) -> int:
    if use.is_hybrid():
        return 6 if use.is_per_channel(1) else 4
    if use.type() == _INT8:
        return 3
    return 2 if max(use.options.dilationWFactor, use.options.dilationHFactor) > 1 else 1


def _fully_connected(use: _Use) -> int:
    if use.is_hybrid() and use.is_per_channel(1):
        return 12
    if use.slots == 2:
        return 6
    if use.options.keepNumDims:
        return 5
    if use.is_hybrid():
        return 9 if use.options.asymmetricQuantizeInputs else 3
    return 4 if use.type() == _INT8 else 1


def _transpose_convolution(use: _Use) -> int:
    if use.options.fusedActivationFunction:
        return 4
    if use.slots == 4:
        return 3
    return 2 if use.type(1) == _INT8 else 1


def _add(use: _Use) -> int:
    if use.type() == _INT64:
        return 4
    return 2 if use.type() == _INT8 else 1


def _subtract(use: _Use) -> int:
    if use.type() == _INT64:
        return 4
    if use.broadcasts() and use.rank() > 4:
        return 3
    return 2 if use.type() == _INT8 else 1


def _multiply(use: _Use) -> int:
    if use.type() == _INT64:
        return 5
    if use.type() != _INT8:
        return 1
    left, right = (use.scale(tensor) for tensor in use.inputs[:2])
    return 3 if left * right / use.scale(use.outputs[0]) >= 1.0 else 2


def _divide(use: _Use) -> int:
    return 2 if use.broadcasts() and use.rank() > 4 else 1


def _extremum(use: _Use) -> int:
    if use.broadcasts() and use.rank() > 4:
        return 3
    return 2 if use.type() == _INT8 else 1


def _transpose(use: _Use) -> int:
    by_rank = {5: 4, 6: 6}.get(use.rank())
    if by_rank:
        return by_rank
    return {_BOOL: 3, _INT8: 2}.get(use.type(), 1)


def _pad(use: _Use) -> int:
    if use.rank() > 4:
        return 4
    return 2 if use.type() == _INT8 else 1


def _slice(use: _Use) -> int:
    if use.rank() > 4:
        return 5
    return 2 if use.type() == _INT8 else 1


def _strided_slice(use: _Use) -> int:
    if len(use.inputs[0].shape) > 4:
        return 4
    return {_BOOL: 3, _INT8: 2}.get(use.type(), 1)


def _split(use: _Use) -> int:
    return {_INT32: 3, _INT8: 2}.get(use.type(1), 1)


def _resize(use: _Use) -> int:
    if use.options.halfPixelCenters:
        return 3
    return 2 if use.type() == _INT8 else 1


def _resize_nearest(use: _Use) -> int:
    if use.options.halfPixelCenters or use.options.alignCorners:
        return 3
    return 2 if use.type() == _INT8 else 1


def _dequantize(use: _Use) -> int:
    if use.type() == _FLOAT16:
        return 3
    if use.type() == _INT8:
        return 5 if use.is_per_channel(0) else 2
    return 1


def _batch_matmul(use: _Use) -> int:
    if use.is_hybrid() and use.options.asymmetricQuantizeInputs:
        return 4
    return 2 if use.type() == _INT8 else 1


def _gather(use: _Use) -> int:
    return {_BOOL: 3, _INT8: 2}.get(use.type(), 1)


def _cast(use: _Use) -> int:
    return 3 if _INT8 in (use.type(), use.outputs[0].type) else 1


def _tile(use: _Use) -> int:
    return 3 if use.type() == _INT8 else 1


def _broadcast_to(use: _Use) -> int:
    return 3 if use.type() == _INT8 else 2


def _sign(use: _Use) -> int:
    return 2 if use.type() == _INT32 else 1


def _reverse(use: _Use) -> int:
    return 2 if use.type() == _BOOL else 1


def _absolute(use: _Use) -> int:
    return {_INT32: 5, _INT8: 2}.get(use.type(), 1)


_RULES: dict[int, Callable[[_Use], int]] = {
    Op.CONV_2D: _convolution,
    Op.DEPTHWISE_CONV_2D: _depthwise,
    Op.FULLY_CONNECTED: _fully_connected,
    Op.TRANSPOSE_CONV: _transpose_convolution,
    Op.BATCH_MATMUL: _batch_matmul,
    Op.ADD: _add,
    Op.SUB: _subtract,
    Op.MUL: _multiply,
    Op.DIV: _divide,
    Op.MAXIMUM: _extremum,
    Op.MINIMUM: _extremum,
    Op.TRANSPOSE: _transpose,
    Op.PAD: _pad,
    Op.PADV2: _pad,
    Op.SLICE: _slice,
    Op.STRIDED_SLICE: _strided_slice,
    Op.SPLIT: _split,
    Op.RESIZE_BILINEAR: _resize,
    Op.RESIZE_NEAREST_NEIGHBOR: _resize_nearest,
    Op.DEQUANTIZE: _dequantize,
    Op.GATHER: _gather,
    Op.CAST: _cast,
    Op.TILE: _tile,
    Op.BROADCAST_TO: _broadcast_to,
    Op.ABS: _absolute,
    Op.SIGN: _sign,
    Op.REVERSE_V2: _reverse,
}

_SECOND_FOR_INT8 = frozenset(
    {
        Op.MAX_POOL_2D,
        Op.AVERAGE_POOL_2D,
        Op.CONCATENATION,
        Op.SOFTMAX,
        Op.LOG_SOFTMAX,
        Op.MEAN,
        Op.SUM,
        Op.REDUCE_MAX,
        Op.REDUCE_MIN,
        Op.REDUCE_PROD,
        Op.RELU,
        Op.RELU6,
        Op.RSQRT,
        Op.TANH,
        Op.LOGISTIC,
        Op.EXP,
        Op.LOG,
        Op.GELU,
        Op.SPLIT_V,
        Op.SPACE_TO_DEPTH,
        Op.DEPTH_TO_SPACE,
        Op.ARG_MAX,
        Op.SQUARED_DIFFERENCE,
    }
)

_FIRST_RELEASE = (1, 14, 0)
_RELEASES: dict[tuple[int, int], tuple[int, int, int]] = {
    (Op.ABS, 2): (2, 4, 0),
    (Op.ABS, 5): (2, 17, 0),
    (Op.ADD, 4): (2, 6, 0),
    (Op.ATAN2, 1): (2, 10, 0),
    (Op.BATCH_MATMUL, 1): (2, 3, 0),
    (Op.BATCH_MATMUL, 2): (2, 3, 0),
    (Op.BATCH_MATMUL, 4): (2, 5, 0),
    (Op.BITWISE_XOR, 1): (2, 14, 0),
    (Op.BROADCAST_TO, 2): (2, 5, 0),
    (Op.BROADCAST_TO, 3): (2, 5, 0),
    (Op.CAST, 3): (2, 8, 0),
    (Op.CONV_2D, 5): (2, 4, 0),
    (Op.CONV_2D, 6): (2, 9, 0),
    (Op.CONV_3D, 1): (2, 5, 0),
    (Op.CONV_3D_TRANSPOSE, 1): (2, 6, 0),
    (Op.CUMSUM, 1): (2, 4, 0),
    (Op.DENSIFY, 1): (2, 2, 0),
    (Op.DEPTHWISE_CONV_2D, 4): (2, 2, 0),
    (Op.DEPTHWISE_CONV_2D, 6): (2, 3, 0),
    (Op.DEPTH_TO_SPACE, 1): (2, 1, 0),
    (Op.DEPTH_TO_SPACE, 2): (2, 5, 0),
    (Op.DEQUANTIZE, 3): (1, 15, 0),
    (Op.DEQUANTIZE, 5): (2, 7, 0),
    (Op.DIV, 2): (2, 3, 0),
    (Op.EXP, 2): (2, 12, 0),
    (Op.FULLY_CONNECTED, 5): (2, 0, 0),
    (Op.FULLY_CONNECTED, 6): (2, 1, 0),
    (Op.FULLY_CONNECTED, 9): (2, 3, 0),
    (Op.FULLY_CONNECTED, 12): (2, 17, 0),
    (Op.GATHER, 3): (1, 15, 0),
    (Op.GELU, 1): (2, 9, 0),
    (Op.GELU, 2): (2, 9, 0),
    (Op.HARD_SWISH, 1): (1, 15, 0),
    (Op.LOG, 2): (2, 15, 0),
    (Op.MAXIMUM, 3): (2, 3, 0),
    (Op.MINIMUM, 3): (2, 3, 0),
    (Op.MUL, 3): (1, 15, 0),
    (Op.MUL, 5): (2, 6, 0),
    (Op.NON_MAX_SUPPRESSION_V4, 1): (2, 1, 0),
    (Op.NON_MAX_SUPPRESSION_V5, 1): (2, 1, 0),
    (Op.PAD, 4): (2, 6, 0),
    (Op.PADV2, 4): (2, 6, 0),
    (Op.REDUCE_PROD, 2): (2, 6, 0),
    (Op.RELU, 2): (2, 1, 0),
    (Op.RELU_0_TO_1, 1): (2, 10, 0),
    (Op.RESIZE_BILINEAR, 3): (2, 2, 0),
    (Op.RESIZE_NEAREST_NEIGHBOR, 3): (2, 3, 0),
    (Op.REVERSE_V2, 2): (2, 2, 0),
    (Op.RIGHT_SHIFT, 1): (2, 14, 0),
    (Op.RSQRT, 2): (2, 5, 0),
    (Op.SCATTER_ND, 1): (2, 1, 0),
    (Op.SIGN, 1): (2, 11, 0),
    (Op.SIGN, 2): (2, 12, 0),
    (Op.SLICE, 5): (2, 5, 0),
    (Op.SQUARED_DIFFERENCE, 2): (2, 5, 0),
    (Op.STRIDED_SLICE, 4): (2, 2, 0),
    (Op.SUB, 3): (2, 3, 0),
    (Op.SUB, 4): (2, 4, 0),
    (Op.SUM, 2): (1, 15, 0),
    (Op.TILE, 3): (2, 8, 0),
    (Op.TRANSPOSE, 3): (1, 15, 0),
    (Op.TRANSPOSE, 4): (2, 3, 0),
    (Op.TRANSPOSE, 6): (2, 12, 0),
    (Op.TRANSPOSE_CONV, 2): (2, 2, 0),
    (Op.TRANSPOSE_CONV, 3): (2, 3, 0),
    (Op.TRANSPOSE_CONV, 4): (2, 13, 0),
}
