"""Dynamic nodes in ONNX: scales found at run time, an integer product, and the way back to float.

The form is that of ONNX Runtime's own dynamic quantization, which it executes as one kernel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, quant_of, set_quant, stamp_origin
from compressor.ir.quant import IntArray, QuantParams
from compressor.ir.rewrite import add_constant, constant_of, free_name, replace_node

_INTEGER_FORM = {"MatMul": "MatMulInteger", "Gemm": "MatMulInteger", "Conv": "ConvInteger"}


def lower_dynamic(graph: ir.Graph) -> None:
    """Replace the nodes of ``Precision.DYNAMIC`` in *graph*; equal activations share one scale.

    Those without such a form keep integer weights behind a DequantizeLinear.
    """
    lowering = _Lowering(graph)
    for node in [n for n in graph if _has_integer_form(n)]:
        lowering.replace(node)


def _has_integer_form(node: ir.Node) -> bool:
    """Whether ONNX has an integer product for *node*; ConvInteger takes one zero point."""
    if precision_of(node) is not Precision.DYNAMIC or node.op_type not in _INTEGER_FORM:
        return False
    params = quant_of(node.inputs[1])
    return params is not None and (node.op_type != "Conv" or len(set(params.zero_point)) == 1)


class _Lowering:
    def __init__(self, graph: ir.Graph) -> None:
        self._graph = graph
        self._scaled: dict[ir.Value, tuple[ir.Value, ...]] = {}

    def replace(self, node: ir.Node) -> None:
        """Write *node*, whose second input is a weight with parameters."""
        activation, weight = node.inputs[0], node.inputs[1]
        params, array = quant_of(weight), constant_of(weight)
        if activation is None or weight is None or params is None or array is None:
            raise ValueError(f"dynamic node '{node.name}' lacks an integer weight")
        integers = params.quantize(array)
        if node.op_type == "Gemm" and node.attributes.get_int("transB"):
            integers = np.ascontiguousarray(integers.T)
        set_quant(weight, None)
        quantized, scale, zero = self._activation(activation, node)
        attributes = dict(node.attributes) if node.op_type == "Conv" else {}
        product = self._node(
            _INTEGER_FORM[node.op_type],
            [
                quantized,
                self._constant(f"{weight.name}_integers", integers),
                zero,
                self._constant(f"{weight.name}_zero_point", _kernel_zero_point(node, params)),
            ],
            attributes,
            ir.DataType.INT32,
            node,
        )
        cast = self._node(
            "Cast", [product], {"to": ir.DataType.FLOAT.value}, ir.DataType.FLOAT, node
        )
        factor = self._node(
            "Mul", [scale, self._weight_scale(node, weight, params)], {}, ir.DataType.FLOAT, node
        )
        bias = node.inputs[2] if len(node.inputs) > 2 else None
        if bias is not None:
            bias = self._along_result(node, bias)
            real = self._node("Mul", [cast, factor], {}, ir.DataType.FLOAT, node)
            replace_node(node, [ir.node("Add", [real, bias], name=node.name)])
        else:
            replace_node(node, [ir.node("Mul", [cast, factor], name=node.name)])

    def _along_result(self, node: ir.Node, bias: ir.Value) -> ir.Value:
        """Return the constant *bias* in a shape that broadcasts along the channels of *node*."""
        array, weight = constant_of(bias), constant_of(node.inputs[1])
        if node.op_type != "Conv" or array is None or weight is None:
            return bias
        return self._constant(f"{bias.name}_channels", array.reshape(-1, *[1] * (weight.ndim - 2)))

    def _activation(self, value: ir.Value, reader: ir.Node) -> tuple[ir.Value, ...]:
        """Return integers, scale and zero point of *value*, found at run time."""
        if value not in self._scaled:
            node = ir.node("DynamicQuantizeLinear", [value], num_outputs=3)
            node.name = f"{value.name}_dynamic"
            types = (ir.DataType.UINT8, ir.DataType.FLOAT, ir.DataType.UINT8)
            roles = ("integers", "scale", "zero_point")
            for out, role, dtype in zip(node.outputs, roles, types, strict=True):
                out.name = free_name(self._graph, f"{value.name}_dynamic_{role}")
                out.type = ir.TensorType(dtype)
            self._graph.insert_before(reader, node)
            self._scaled[value] = tuple(node.outputs)
        return self._scaled[value]

    def _weight_scale(self, node: ir.Node, weight: ir.Value, params: QuantParams) -> ir.Value:
        """Return the constant scale, one a channel along the axis of *node*'s result."""
        scale = params.scale_array()
        if params.is_per_channel and node.op_type == "Conv":
            scale = scale.reshape(-1, *[1] * (np.asarray(constant_of(weight)).ndim - 2))
        return self._constant(f"{weight.name}_scale", scale)

    def _constant(
        self, name: str, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]
    ) -> ir.Value:
        return add_constant(self._graph, name, array)

    def _node(
        self,
        op_type: str,
        inputs: Sequence[ir.Value],
        attributes: dict[str, int] | dict[str, ir.Attr],
        dtype: ir.DataType,
        origin: ir.Node,
    ) -> ir.Value:
        node = ir.node(op_type, inputs, attributes)
        result = node.outputs[0]
        result.name = free_name(self._graph, f"{origin.outputs[0].name}_{op_type.lower()}")
        node.name = result.name
        result.type = ir.TensorType(dtype)
        stamp_origin(node, origin)
        self._graph.insert_before(origin, node)
        return result


def _kernel_zero_point(node: ir.Node, params: QuantParams) -> IntArray:
    """Return the zero point of the weight; ConvInteger takes one for all channels."""
    zero_point = params.zero_point_array()
    return zero_point.reshape(-1)[0] if node.op_type == "Conv" else zero_point
