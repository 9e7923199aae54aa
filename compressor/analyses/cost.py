"""What a graph costs: multiply-accumulates, parameters and weight bytes, by node and in all."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import onnx_ir as ir

from compressor.ir.annotations import quant_of

_QUANTIZERS = frozenset({"QuantizeLinear", "DequantizeLinear"})


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Totals for one inference at batch 1.

    Attributes:
        macs: multiply-accumulate operations of convolutions, matrix products and recurrences.
        parameters: elements of float (or quantized) constants.
        weight_bytes: bytes of those constants as they would be stored.
    """

    macs: int
    parameters: int
    weight_bytes: int


def cost_of(model: ir.Model) -> Cost:
    """Return the cost of *model*; nodes with unknown shapes count nothing."""
    weights = weights_of(model.graph)
    return Cost(
        macs=sum(macs_of(node) for node in model.graph),
        parameters=sum(v.const_value.size for v in weights if v.const_value is not None),
        weight_bytes=sum(map(stored_bytes, weights)),
    )


def weights_of(graph: ir.Graph) -> list[ir.Value]:
    """Return the constants that are parameters: of float type, or dequantized before use."""
    constants = [v for v in graph.initializers.values() if v.const_value is not None]
    return [v for v in constants if _is_float(v) or _is_dequantized(v)]


def _is_float(value: ir.Value) -> bool:
    scales = {use.idx for use in value.uses() if use.node.op_type in _QUANTIZERS}
    return value.dtype is not None and value.dtype.is_floating_point() and scales != {1}


def _is_dequantized(value: ir.Value) -> bool:
    uses = [(use.node.op_type, use.idx) for use in value.uses()]
    return bool(uses) and all(use == ("DequantizeLinear", 0) for use in uses)


def macs_of(node: ir.Node) -> int:
    """Return the multiply-accumulates of *node* at batch 1, 0 for operators without any."""
    if any(value is not None and value.shape is None for value in (*node.inputs, *node.outputs)):
        return 0
    match node.op_type:
        case "Conv":
            weight = _dims(node.inputs[1])
            return prod(_dims(node.outputs[0])) * prod(weight[1:])
        case "ConvTranspose":
            weight = _dims(node.inputs[1])
            return prod(_dims(node.inputs[0])) * prod(weight[1:])
        case "Gemm":
            weight = _dims(node.inputs[1])
            return prod(_dims(node.outputs[0])[:1]) * prod(weight)
        case "MatMul":
            return prod(_dims(node.outputs[0])) * _dims(node.inputs[0])[-1]
        case "GRU" | "LSTM" | "RNN":
            return _recurrent_macs(node)
        case _:
            return 0


def _recurrent_macs(node: ir.Node) -> int:
    """Input and recurrent products of every step: ``T * N * (|W| + |R|)``."""
    layout = node.attributes.get_int("layout", 0)
    sequence = _dims(node.inputs[0])
    steps = sequence[1] if layout else sequence[0]
    batch = sequence[0] if layout else sequence[1]
    return steps * batch * (prod(_dims(node.inputs[1])) + prod(_dims(node.inputs[2])))


def _dims(value: ir.Value | None) -> list[int]:
    """Shape at batch 1: an unknown dimension is 1, and ``49*batch`` is 49."""
    if value is None or value.shape is None:
        return []
    return [dim if isinstance(dim, int) else _known_factors(dim.value) for dim in value.shape]


def _known_factors(symbol: str | None) -> int:
    return prod(int(part) for part in (symbol or "").split("*") if part.isdecimal())


def stored_bytes(value: ir.Value) -> int:
    """Return the bytes of the constant *value* as exporters store it, with its scales."""
    params = quant_of(value)
    if value.const_value is None:
        return 0
    if params is None:
        return int(value.const_value.nbytes)
    return int(value.const_value.size) * params.dtype.numpy.itemsize + 4 * len(params.scale)
