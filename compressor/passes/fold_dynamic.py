"""Products whose activation scale is found at run time: one dynamic node, not six."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import Precision, set_precision, set_quant, stamp_origin
from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import Array, add_constant, constant_of, replace_node, sole_consumer
from compressor.passes.protocol import Changes, PassContext

_FLOAT_FORM = {"MatMulInteger": "MatMul", "ConvInteger": "Conv"}
_CHANNELS = {"MatMulInteger": 1, "ConvInteger": 0}


@dataclass(frozen=True, kw_only=True)
class FoldDynamic:
    """Recognize what dynamic quantization writes, and annotate it as ``Precision.DYNAMIC``.

    ``DynamicQuantizeLinear`` finds a uint8 scale for an activation, an integer product follows,
    and its int32 sums are cast and multiplied by both scales.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Fold the dynamic products of *model*."""
        folded = 0
        for node in [n for n in model.graph if n.op_type in _FLOAT_FORM]:
            folded += _fold(node)
        return Changes(counts={"dynamic products folded": folded})


def _fold(node: ir.Node) -> bool:
    """Replace the multiplication behind the integer product *node*, the end of the pattern."""
    dynamic, weight = _dynamic_operand(node), _weight(node)
    cast = sole_consumer(node.outputs[0])
    if dynamic is None or weight is None or cast is None or cast.op_type != "Cast":
        return False
    rescale = sole_consumer(cast.outputs[0])
    if rescale is None or rescale.op_type != "Mul" or node.graph is None:
        return False
    factor = rescale.inputs[1] if rescale.inputs[0] is cast.outputs[0] else rescale.inputs[0]
    scale = _weight_scale(factor, dynamic.outputs[1])
    params = None if scale is None else _params(node, weight, scale)
    if params is None:
        return False
    integers, parameters = weight[0], params
    constant = add_constant(node.graph, f"{node.name}_weight", parameters.dequantize(integers))
    set_quant(constant, parameters)
    attributes = dict(node.attributes)
    made = ir.node(_FLOAT_FORM[node.op_type], [dynamic.inputs[0], constant], attributes)
    made.name = node.name
    set_precision(made, Precision.DYNAMIC, "its activations are quantized when it runs")
    replace_node(rescale, [made])
    stamp_origin(made, node, rescale)
    return True


def _dynamic_operand(node: ir.Node) -> ir.Node | None:
    """Return the DynamicQuantizeLinear that makes the first operand and its zero point."""
    source = node.inputs[0]
    dynamic = None if source is None else source.producer()
    zero = node.inputs[2] if len(node.inputs) > 2 else None
    if dynamic is None or dynamic.op_type != "DynamicQuantizeLinear":
        return None
    return dynamic if source is dynamic.outputs[0] and zero is dynamic.outputs[2] else None


def _weight(node: ir.Node) -> tuple[Array, Array] | None:
    """Return the constant weight as int8, and its zero points."""
    weight = constant_of(node.inputs[1])
    value = node.inputs[3] if len(node.inputs) > 3 else None
    zero = np.zeros((), np.int64) if value is None else constant_of(value)
    if weight is None or zero is None:
        return None
    offset = 128 if weight.dtype == np.uint8 else 0
    shifted = weight.astype(np.int64) - offset
    return shifted.astype(np.int8), np.asarray(zero.astype(np.int64) - offset)


def _weight_scale(factor: ir.Value | None, activation: ir.Value) -> Array | None:
    """Return the constant that *factor* multiplies the *activation*'s scale by."""
    product = None if factor is None else factor.producer()
    if product is None or product.op_type != "Mul" or activation not in product.inputs:
        return None
    other = product.inputs[1] if product.inputs[0] is activation else product.inputs[0]
    return constant_of(other)


def _params(node: ir.Node, weight: tuple[Array, Array], scale: Array) -> QuantParams | None:
    """Return the weight's parameters; None for scales that are no plain vector of channels."""
    integers, zero = weight
    axis = _CHANNELS[node.op_type]
    if scale.dtype != np.float32 or not (np.isfinite(scale) & (scale > 0)).all():
        return None
    if scale.size == zero.size == 1:
        return QuantParams.per_tensor(IntegerType.INT8, float(scale.reshape(())), int(zero.sum()))
    channels = integers.shape[axis] if integers.ndim > axis else 0
    if node.op_type != "MatMulInteger" or integers.ndim != 2 or scale.shape != (channels,):
        return None
    points = np.broadcast_to(zero.ravel(), (channels,))
    return QuantParams(
        dtype=IntegerType.INT8,
        scale=tuple(float(step) for step in scale),
        zero_point=tuple(int(point) for point in points),
        axis=axis,
    )
