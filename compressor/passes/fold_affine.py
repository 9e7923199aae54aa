"""Fold multiplications and additions by constants into the linear layer before them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.annotations import quant_of, stamp_origin
from compressor.ir.rewrite import (
    Array,
    add_constant,
    constant_of,
    is_constant,
    remove,
    replace_value,
    shape_of_constant,
    sole_consumer,
)
from compressor.passes.protocol import Changes, PassContext

Vector = npt.NDArray[np.float64]

# Axis of the output channels in the weight.
_WEIGHT_AXIS = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0}
_OPERATORS = frozenset({"Add", "Sub", "Mul", "Div"})


@dataclass(frozen=True, kw_only=True)
class FoldAffine:
    """Scale weights by per-channel gains, shift biases by per-channel offsets.

    Frameworks write batch normalization out (TensorFlow does), and authors scale layers. With
    ``y = W x + b``, ``g y + o`` is ``(g W) x + (g b + o)``. Sums are exact up to one rounding of
    the constants. Convolution, transposed convolution in one group and Gemm with a plain
    ``[N, K]`` weight are folded into; what changes the shape by broadcasting is left.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Fold the constant factors and terms behind the linear layers of *model*."""
        counts = {"factors folded": 0, "terms folded": 0}
        for node in list(model.graph):
            if node.op_type in _WEIGHT_AXIS and _is_foldable(node):
                while (reader := _affine_reader(node)) is not None:
                    kind = "factors" if reader.op_type in ("Mul", "Div") else "terms"
                    counts[f"{kind} folded"] += 1
                    _fold(node, reader)
        return Changes(counts=counts)


def _is_foldable(layer: ir.Node) -> bool:
    """Whether weight and bias are float constants of plain form, with nothing quantized yet."""
    values = [value for value in layer.inputs[1:3] if value is not None]
    if any(not is_constant(value) or quant_of(value) is not None for value in values):
        return False
    attributes = layer.attributes
    match layer.op_type:
        case "ConvTranspose":
            return attributes.get_int("group", 1) == 1
        case "Gemm":
            bias = shape_of_constant(layer.inputs[2]) if len(layer.inputs) > 2 else None
            plain = attributes.get_float("alpha", 1.0) == attributes.get_float("beta", 1.0) == 1.0
            is_vector = bias is None or len(bias) == 1
            return plain and is_vector and bool(attributes.get_int("transB", 0))
        case _:
            return True


def _affine_reader(layer: ir.Node) -> ir.Node | None:
    """Return the node that alone reads *layer* and adds to it or scales it by channel."""
    result = layer.outputs[0]
    reader = sole_consumer(result)
    if reader is None or reader.op_type not in _OPERATORS or quant_of(result) is not None:
        return None
    if reader.op_type == "Div" and reader.inputs[0] is not result:
        return None
    constant = _other(reader, result)
    if constant is None or _per_channel(constant, layer) is None:
        return None
    unsafe = reader.op_type == "Div" and not constant.all()
    return None if unsafe or quant_of(reader.outputs[0]) is not None else reader


def _other(reader: ir.Node, result: ir.Value) -> Array | None:
    values = [value for value in reader.inputs if value is not result]
    return constant_of(values[0]) if len(values) == 1 else None


def _per_channel(constant: Array, layer: ir.Node) -> Vector | None:
    """Return *constant* as one number a channel; None when it varies along another axis."""
    shape = layer.outputs[0].shape
    channels = _channels(layer)
    if shape is None or constant.ndim > len(shape):
        return None
    widened = constant.reshape((1,) * (len(shape) - constant.ndim) + constant.shape)
    others = widened.shape[:1] + widened.shape[2:]
    if any(length != 1 for length in others) or widened.shape[1] not in (1, channels):
        return None
    return np.broadcast_to(widened.reshape(-1).astype(np.float64), (channels,))


def _channels(layer: ir.Node) -> int:
    weight = shape_of_constant(layer.inputs[1])
    return 0 if weight is None else weight[_WEIGHT_AXIS[layer.op_type]]


def _fold(layer: ir.Node, reader: ir.Node) -> None:
    result, graph = layer.outputs[0], layer.graph
    weight, constant = constant_of(layer.inputs[1]), _other(reader, result)
    if weight is None or constant is None or graph is None:
        raise ValueError("the caller has checked that both are constant")
    bias = constant_of(layer.inputs[2]) if len(layer.inputs) > 2 else None
    own = np.zeros(_channels(layer)) if bias is None else bias.astype(np.float64)
    gain, offset = _gain_and_offset(reader, result, constant, layer)
    shape = [1] * weight.ndim
    shape[_WEIGHT_AXIS[layer.op_type]] = -1
    with np.errstate(over="ignore"):  # the check of the source's weights reports what overflows
        scaled = (weight * gain.reshape(shape)).astype(weight.dtype)
        shifted = (own * gain + offset).astype(weight.dtype)
    name = layer.inputs[1].name if layer.inputs[1] is not None else ""
    if not np.array_equal(scaled, weight):
        layer.replace_input_with(1, add_constant(graph, f"{name}_folded", scaled))
    layer.resize_inputs(3)
    layer.replace_input_with(2, add_constant(graph, f"{name}_bias", shifted))
    stamp_origin(layer, layer, reader)
    replace_value(reader.outputs[0], result)
    remove(reader)


def _gain_and_offset(
    reader: ir.Node, result: ir.Value, constant: Array, layer: ir.Node
) -> tuple[Vector, Vector]:
    vector = _per_channel(constant, layer)
    if vector is None:
        raise ValueError("the caller has checked the shape")
    ones, zeros = np.ones_like(vector), np.zeros_like(vector)
    match reader.op_type:
        case "Mul":
            return vector, zeros
        case "Div":
            return 1 / vector, zeros
        case "Add":
            return ones, vector
        case _ if reader.inputs[0] is result:
            return ones, -vector
        case _:
            return -ones, vector
