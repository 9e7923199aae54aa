"""Fold inference-time batch normalization into the preceding convolution or Gemm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import (
    add_constant,
    constant_of,
    remove,
    replace_node,
    replace_value,
    sole_consumer,
)
from compressor.passes.protocol import Changes, PassContext, Skipped

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class FoldBatchnorm:
    """Scale weights and biases by the statistics (Ioffe and Szegedy, 2015); else Mul and Add.

    With gain ``g = scale / sqrt(var + eps)``, ``BN(W x + b) = (g W) x + (g (b - mean) + B)``.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Remove every inference-time BatchNormalization of *model*."""
        folded, lowered, skipped = 0, 0, []
        for node in [n for n in model.graph if n.op_type == "BatchNormalization"]:
            affine = _affine(node)
            if affine is None:
                skipped.append(
                    Skipped(node=node.name or "", reason="statistics are computed at run time")
                )
            elif _fold(node, *affine):
                folded += 1
            elif _lower(node, *affine):
                lowered += 1
            else:
                skipped.append(Skipped(node=node.name or "", reason="the rank is not known"))
        counts = {"folded into weights": folded, "lowered to Mul and Add": lowered}
        return Changes(counts=counts, skipped=tuple(skipped))


def _affine(node: ir.Node) -> tuple[Vector, Vector] | None:
    """Return gain and offset per channel, or None when a statistic is not constant."""
    arrays = [constant_of(value) for value in node.inputs[1:5]]
    training = node.attributes.get_int("training_mode", 0) or len(node.outputs) > 1
    if training or any(array is None for array in arrays):
        return None
    scale, bias, mean, var = (np.asarray(array, np.float64) for array in arrays)
    gain = scale / np.sqrt(var + node.attributes.get_float("epsilon", 1e-5))
    return gain, bias - gain * mean


def _fold(node: ir.Node, gain: Vector, offset: Vector) -> bool:
    """Fold into the producer; False when it has no constant weight or other consumers."""
    source = node.inputs[0]
    producer = None if source is None else source.producer()
    if source is None or producer is None or sole_consumer(source) is None:
        return False
    if len(producer.inputs) < 2 or quant_of(producer.inputs[1]) is not None:
        return False  # the grid of integer weights is fixed
    weight = constant_of(producer.inputs[1])
    axis = _output_axis(producer)
    bias = constant_of(producer.inputs[2]) if len(producer.inputs) > 2 else np.zeros(1)
    if weight is None or bias is None or axis is None or producer.graph is None:
        return False
    shape = [1] * weight.ndim
    shape[axis] = -1
    groups = producer.attributes.get_int("group", 1)
    if producer.op_type == "ConvTranspose" and groups != 1:
        return False
    graph, name = producer.graph, producer.inputs[1].name  # type: ignore[union-attr]
    with np.errstate(over="ignore"):  # the check of the source's weights reports what overflows
        new_weight = (weight * gain.reshape(shape)).astype(weight.dtype)
        new_bias = (bias * gain + offset).astype(weight.dtype)
    producer.replace_input_with(1, add_constant(graph, f"{name}_folded", new_weight))
    producer.resize_inputs(3)
    producer.replace_input_with(2, add_constant(graph, f"{name}_bias", new_bias))
    replace_value(node.outputs[0], source)
    remove(node)
    return True


def _output_axis(producer: ir.Node) -> int | None:
    """Return the weight's output-channel axis, or None when a gain cannot be folded in."""
    match producer.op_type:
        case "Conv":
            return 0
        case "ConvTranspose":
            return 1
        case "Gemm":
            attributes = producer.attributes
            plain = attributes.get_float("alpha", 1.0) == attributes.get_float("beta", 1.0) == 1.0
            return (0 if attributes.get_int("transB") else 1) if plain else None
        case _:
            return None


def _lower(node: ir.Node, gain: Vector, offset: Vector) -> bool:
    """Replace *node* by a per-channel multiplication and addition; False without a known rank."""
    source, graph = node.inputs[0], node.graph
    if source is None or graph is None or source.shape is None:
        return False
    shape = [1, -1] + [1] * (len(source.shape) - 2)
    dtype = np.float32 if source.dtype is None else source.dtype.numpy()
    name = node.name or node.outputs[0].name or "batchnorm"
    scale = add_constant(graph, f"{name}_gain", gain.reshape(shape).astype(dtype))
    shift = add_constant(graph, f"{name}_offset", offset.reshape(shape).astype(dtype))
    multiply = ir.node("Mul", [source, scale], name=f"{name}_mul")
    multiply.outputs[0].name = f"{name}_scaled"
    multiply.outputs[0].shape = source.shape
    multiply.outputs[0].type = source.type
    add = ir.node("Add", [multiply.outputs[0], shift], name=f"{name}_add")
    replace_node(node, [multiply, add])
    return True
