"""One form for every linear layer: Gemm with a constant [N, K] weight and an [N] bias."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.lazy import derived
from compressor.ir.rewrite import (
    Array,
    add_constant,
    add_tensor,
    constant_of,
    free_name,
    remove,
    replace_node,
    replace_value,
    shape_of_constant,
    sole_consumer,
)
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class CanonicalizeLinear:
    """Rewrite Gemm and MatMul with constant weights, together with the bias Add behind them.

    An input of rank above two is flattened to [rows, K] and restored after the product, so that
    weight and bias meet in one node, accumulate in int32 and round once.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Rewrite the linear layers of *model*."""
        counts = {"Gemm normalized": 0, "MatMul made Gemm": 0, "bias absorbed": 0}
        for node in list(model.graph):
            if any(quant_of(value) is not None for value in (*node.inputs, *node.outputs)):
                continue  # the integers of its weights and the scale behind it are settled
            if node.op_type == "Gemm" and _normalize_gemm(node):
                counts["Gemm normalized"] += 1
            elif node.op_type == "MatMul":
                absorbed = _rewrite_matmul(node)
                counts["MatMul made Gemm"] += absorbed is not None
                counts["bias absorbed"] += bool(absorbed)
        return Changes(counts=counts)


def _normalize_gemm(node: ir.Node) -> bool:
    """Fold alpha, beta, transB and bias broadcasting into the constants."""
    weight = shape_of_constant(node.inputs[1])
    bias_value = node.inputs[2] if len(node.inputs) > 2 else None
    bias, graph = constant_of(bias_value), node.graph
    attributes = node.attributes
    if weight is None or graph is None or attributes.get_int("transA"):
        return False
    if bias_value is not None and bias is None:
        return False
    alpha, beta = attributes.get_float("alpha", 1.0), attributes.get_float("beta", 1.0)
    transposed = bool(attributes.get_int("transB"))
    units = weight[0] if transposed else weight[1]
    if bias is not None and bias.shape not in ((), (1,), (units,), (1, 1), (1, units)):
        return False
    plain_bias = bias is None or bias.shape == (units,)
    if transposed and plain_bias and alpha == 1.0 and (bias is None or beta == 1.0):
        return False
    inputs = [node.inputs[0], _rows_of_units(graph, node.inputs[1], alpha, turn=not transposed)]
    if bias is not None:
        flat = np.broadcast_to(bias.reshape(-1) * np.asarray(beta, bias.dtype), (units,))
        inputs.append(add_constant(graph, _name(bias_value), flat))
    replace_node(node, [ir.node("Gemm", inputs, {"transB": 1}, name=node.name)])
    return True


def _rewrite_matmul(node: ir.Node) -> bool | None:
    """Rewrite ``x @ W (+ b)``; None when it has no such form, else whether a bias went in."""
    source, result, graph = node.inputs[0], node.outputs[0], node.graph
    weight = shape_of_constant(node.inputs[1])
    if source is None or weight is None or len(weight) != 2 or graph is None:
        return None
    if source.shape is None or len(source.shape) < 2 or not _restorable(source):
        return None
    bias, add = _bias_behind(result, weight[1])
    new_weight = _rows_of_units(graph, node.inputs[1])
    inputs = [_flattened(node, source, weight[0]), new_weight]
    if bias is not None:
        inputs.append(add_constant(graph, f"{result.name}_bias", bias))
    gemm = ir.node("Gemm", inputs, {"transB": 1}, name=node.name)
    gemm.outputs[0].type = result.type
    final = gemm
    steps = [gemm]
    if len(source.shape) > 2:
        gemm.outputs[0].name = free_name(graph, f"{result.name}_rows")
        gemm.outputs[0].shape = ir.Shape([_rows(source), weight[1]])
        dims = [d if isinstance(d, int) else -1 for d in (*source.shape[:-1], weight[1])]
        shape = add_constant(graph, f"{result.name}_shape", np.asarray(dims, np.int64))
        final = ir.node("Reshape", [gemm.outputs[0], shape], name=f"{node.name}_restore")
        steps.append(final)
    replace_node(node, steps)
    if add is not None:
        replace_value(add.outputs[0], final.outputs[0])
        remove(add)
    return bias is not None


def _rows_of_units(
    graph: ir.Graph, value: ir.Value | None, factor: float = 1.0, *, turn: bool = True
) -> ir.Value:
    """Return the constant matrix *value* times *factor* as [N, K], turned from [K, N]."""
    tensor = None if value is None else value.const_value
    if tensor is None:
        raise ValueError("the caller has checked that the weight is constant")

    def compute(array: Array) -> Array:
        scaled = array if factor == 1.0 else array * np.asarray(factor, array.dtype)
        return scaled.T if turn else scaled

    shape = tensor.shape.numpy()
    made = derived(tensor, compute, dtype=tensor.dtype, shape=shape[::-1] if turn else shape)
    return add_tensor(graph, _name(value), made)


def _restorable(source: ir.Value) -> bool:
    """Whether the shape in front of the last axis can be written with at most one -1."""
    dims = list(source.shape or ())[:-1]
    return sum(not isinstance(dim, int) for dim in dims) <= 1


def _flattened(node: ir.Node, source: ir.Value, width: int) -> ir.Value:
    """Return *source* as [rows, *width*], through a Reshape when its rank is above two."""
    graph = node.graph
    if graph is None or source.shape is None or len(source.shape) == 2:
        return source
    shape = add_constant(graph, f"{node.name}_rows", np.asarray([-1, width], np.int64))
    flatten = ir.node("Reshape", [source, shape], name=f"{node.name}_flatten")
    value = flatten.outputs[0]
    value.name = free_name(graph, f"{node.outputs[0].name}_input_rows")
    value.shape, value.type = ir.Shape([_rows(source), width]), source.type
    graph.insert_before(node, flatten)
    return value


def _rows(source: ir.Value) -> int | str:
    """Return the product of all axes but the last, such as ``49*batch``."""
    dims = [dim if isinstance(dim, int) else dim.value for dim in (source.shape or ())[:-1]]
    known = prod(dim for dim in dims if isinstance(dim, int))
    symbols = [str(dim) for dim in dims if not isinstance(dim, int)]
    return "*".join([str(known), *symbols]) if symbols else known


def _bias_behind(result: ir.Value, units: int) -> tuple[Array | None, ir.Node | None]:
    """Return the bias vector that the only reader of *result* adds, and that reader."""
    add = sole_consumer(result)
    if add is None or add.op_type != "Add":
        return None, None
    other = add.inputs[1] if add.inputs[0] is result else add.inputs[0]
    bias = constant_of(other)
    if bias is None or bias.size != units or bias.shape[-1:] not in ((), (units,)):
        return None, None
    if result.shape is None or bias.ndim > len(result.shape):
        return None, None
    return bias.reshape(-1), add


def _name(value: ir.Value | None) -> str:
    return "" if value is None or value.name is None else f"{value.name}_linear"
