"""Multiply-accumulates of an exported reference model for one image.

Counted are convolutions, matrix products and recurrent layers, which is where nearly all the
arithmetic is. Biases, norms, activations, softmax, pooling and element-wise operators are not.
"""

import math

import onnx_ir as ir


def count_macs(model: ir.Model) -> int:
    """Sum the multiply-accumulates of all nodes at batch size 1; the file must state shapes."""
    return sum(_COUNTERS[node.op_type](node) for node in model.graph if node.op_type in _COUNTERS)


def _conv(node: ir.Node) -> int:
    """Each output element sums over the kernel and the channels of its group."""
    return math.prod(_shape(node.outputs[0])) * math.prod(_shape(node.inputs[1])[1:])


def _matmul(node: ir.Node) -> int:
    """Each output element sums over the last axis of the first factor."""
    return math.prod(_shape(node.outputs[0])) * _shape(node.inputs[0])[-1]


def _gru(node: ir.Node) -> int:
    """Each step multiplies the input by W `[D, 3H, I]` and the state by R `[D, 3H, H]`."""
    steps, batch, _ = _shape(node.inputs[0])
    weights = math.prod(_shape(node.inputs[1])) + math.prod(_shape(node.inputs[2]))
    return steps * batch * weights


def _shape(value: ir.Value | None) -> list[int]:
    """Return the shape of `value` with the free batch size taken as 1."""
    if value is None or value.shape is None:
        message = f"the file states no shape for {value}"
        raise ValueError(message)
    return [size if isinstance(size, int) else 1 for size in value.shape]


_COUNTERS = {"Conv": _conv, "MatMul": _matmul, "Gemm": _matmul, "GRU": _gru}
