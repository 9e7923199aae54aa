"""Integer constants of a quantized file as the real numbers they stand for, with parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of, set_quant
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import Array, add_constant, constant_of, remove
from compressor.passes.fused.parameters import signed_integers, signed_params
from compressor.passes.protocol import Changes, PassContext, Skipped


@dataclass(frozen=True, kw_only=True)
class UnpackConstants:
    """Replace DequantizeLinear of a constant by an annotated float constant.

    A Cast and a Mul by scales mean the same. A Transpose behind it, as exporters of linear layers
    write it, moves into the constant.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Unpack the constants of *model*."""
        unpacked, skipped = 0, []
        for node in [n for n in model.graph if n.op_type == "DequantizeLinear"]:
            if constant_of(node.inputs[0]) is None:
                continue
            reason = _unpack(node)
            unpacked += not reason
            if reason:
                skipped.append(Skipped(node=node.name or "", reason=reason))
        for node in [n for n in model.graph if n.op_type == "Mul"]:
            unpacked += _unpack_product(node)
        for node in [n for n in model.graph if n.op_type == "Transpose"]:
            _transpose(node)
        return Changes(counts={"constants unpacked": unpacked}, skipped=tuple(skipped))


def _unpack(node: ir.Node) -> str:
    """Replace *node*; return why not, or an empty string."""
    params, integers, result = signed_params(node), signed_integers(node), node.outputs[0]
    if params is None or integers is None or node.graph is None or result.is_graph_output():
        return "its parameters are of a form that only the source's own node expresses"
    axis = params.axis
    if axis is not None and integers.shape[axis : axis + 1] != (len(params.scale),):
        return "its scales do not fit its shape"
    real = params.dequantize(integers)
    if not np.array_equal(params.quantize(real), integers):
        return "its integers are larger than float32 can tell apart"
    _replace(node, real, params)
    return ""


def _unpack_product(node: ir.Node) -> bool:
    """Replace *node* if it multiplies int8 constants, cast to float32, by their scales."""
    cast = None if node.inputs[0] is None else node.inputs[0].producer()
    scale, result = constant_of(node.inputs[1]), node.outputs[0]
    if cast is None or cast.op_type != "Cast" or scale is None or result.is_graph_output():
        return False
    integers = constant_of(cast.inputs[0])
    plain = integers is not None and integers.dtype == np.int8 and scale.dtype == np.float32
    if integers is None or not plain or not (np.isfinite(scale) & (scale > 0)).all():
        return False
    wide = [axis for axis, length in enumerate(scale.shape) if length > 1]
    if len(wide) > 1 or scale.ndim > integers.ndim or (wide and scale.ndim < integers.ndim):
        return False
    if any(scale.shape[axis] != integers.shape[axis] for axis in wide):
        return False
    if wide:
        params = QuantParams.per_channel(IntegerType.INT8, scale, wide[0])
    else:
        params = QuantParams.per_tensor(IntegerType.INT8, float(scale.reshape(())), 0)
    _replace(node, params.dequantize(integers), params)
    return True


def _transpose(node: ir.Node) -> None:
    """Transpose the annotated constant that *node* reads, and its axis with it."""
    params, array = quant_of(node.inputs[0]), constant_of(node.inputs[0])
    if params is None or array is None or node.outputs[0].is_graph_output():
        return
    order = node.attributes.get_ints("perm") or tuple(range(array.ndim))[::-1]
    axis = None if params.axis is None else list(order).index(params.axis)
    moved = QuantParams(
        dtype=params.dtype, scale=params.scale, zero_point=params.zero_point, axis=axis
    )
    _replace(node, np.ascontiguousarray(array.transpose(order)), moved)


def _replace(node: ir.Node, real: Array, params: QuantParams) -> None:
    """Let the readers of *node* read the constant *real*."""
    graph, result = node.graph, node.outputs[0]
    if graph is None:
        raise ValueError("the node is in no graph")
    name = result.name or node.op_type
    result.name = f"{name}_packed"
    value = add_constant(graph, name, real)
    set_quant(value, params)
    result.replace_all_uses_with(value)
    remove(node)
