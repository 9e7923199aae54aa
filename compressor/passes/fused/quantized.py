"""Operators on integers as the float operator between DequantizeLinear and QuantizeLinear.

The integer operators of ONNX and of ONNX Runtime are defined that way: dequantize the operands,
compute in real numbers, quantize the result.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from compressor.passes.fused.signatures import Fused
from compressor.passes.opset.site import Rule, Site, Unconvertible

MICROSOFT = "com.microsoft"


def _operand(site: Site, index: int, axis: int | None = None) -> ir.Value:
    """Return the real numbers of the operand at *index*, followed by its scale and zero point."""
    attributes = {} if axis is None else {"axis": axis}
    operands = [site.input(index), site.input(index + 1), site.input(index + 2)]
    while operands[-1] is None:
        operands.pop()
    return site.before("DequantizeLinear", operands, attributes)


def _finish(site: Site, real: ir.Value, scale: int) -> None:
    """Let the node quantize *real* by the parameters at inputs *scale* and *scale* + 1."""
    parameters = [site.input(scale), site.input(scale + 1)]
    site.become("QuantizeLinear", [real, *parameters])


def _bias(site: Site, index: int, activation: int, weight: int) -> ir.Value | None:
    """Return the real numbers of the int32 bias at *index*, whose scale is a product of two."""
    value = site.input(index)
    if value is None:
        return None
    scales = site.known(activation), site.known(weight)
    if scales[0] is None or scales[1] is None:
        raise Unconvertible("its scales are computed")
    scale = np.atleast_1d(np.asarray(scales[0], np.float32) * scales[1])
    if scale.size == 1:
        scale = scale.reshape(())
    zero = site.constant(np.zeros(scale.shape, np.int32), "bias_zero_point")
    operands = [value, site.constant(scale, "bias_scale"), zero]
    return site.before("DequantizeLinear", operands, {"axis": 0})


def _convolution(site: Site) -> None:
    if site.node.attributes.get_int("channels_last", 0):
        raise Unconvertible("it has channels last")
    bias = _bias(site, 8, 1, 4)
    operands = [_operand(site, 0), _operand(site, 3, axis=0), bias]
    result = site.before("Conv", operands, site.attributes())
    _finish(site, result, 6)


def _product(site: Site) -> None:
    _finish(site, site.before("MatMul", [_operand(site, 0), _operand(site, 3, axis=1)]), 6)


def _gemm(site: Site) -> None:
    if site.node.attributes.get_float("alpha", 1.0) != 1.0:
        raise Unconvertible("its bias is scaled")
    units = 0 if site.node.attributes.get_int("transB", 0) else 1
    operands = [_operand(site, 0), _operand(site, 3, axis=units), _bias(site, 6, 1, 4)]
    result = site.before("Gemm", operands, site.attributes())
    if site.input(7) is None:
        site.become("Identity", [result])
    else:
        _finish(site, result, 7)


def _binary(op_type: str) -> Rule:
    def rule(site: Site) -> None:
        _finish(site, site.before(op_type, [_operand(site, 0), _operand(site, 3)]), 6)

    return rule


def _unary(op_type: str, *attributes: str) -> Rule:
    def rule(site: Site) -> None:
        if site.node.attributes.get_int("channels_last", 0):
            raise Unconvertible("it has channels last")
        kept = {name: a for name, a in site.attributes().items() if name in attributes}
        _finish(site, site.before(op_type, [_operand(site, 0)], kept), 3)

    return rule


def _softmax(site: Site) -> None:
    if site.node.attributes.get_int("opset", 0) < 13:
        raise Unconvertible("it coerces its input to two dimensions")
    axis = site.node.attributes.get_int("axis", -1)
    _finish(site, site.before("Softmax", [_operand(site, 0)], {"axis": axis}), 3)


def _concat(site: Site) -> None:
    operands = [_operand(site, index) for index in range(2, len(site.node.inputs), 3)]
    _finish(site, site.before("Concat", operands, site.attributes()), 0)


def standard(op_type: str) -> Rule:
    """The contributed operator is the standard's own."""

    def rule(site: Site) -> None:
        site.become(op_type, list(site.node.inputs), site.attributes())

    return rule


_POOL = ("auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides")

QUANTIZED: Mapping[tuple[str, str], Fused] = {
    ("", "QLinearConv"): Fused(_convolution, operands=8),
    ("", "QLinearMatMul"): Fused(_product, operands=8),
    (MICROSOFT, "QLinearConv"): Fused(_convolution, operands=8),
    (MICROSOFT, "QGemm"): Fused(_gemm, operands=6),
    (MICROSOFT, "QLinearAdd"): Fused(_binary("Add"), operands=8),
    (MICROSOFT, "QLinearMul"): Fused(_binary("Mul"), operands=8),
    (MICROSOFT, "QLinearSigmoid"): Fused(_unary("Sigmoid"), operands=5),
    (MICROSOFT, "QLinearLeakyRelu"): Fused(_unary("LeakyRelu", "alpha"), operands=5),
    (MICROSOFT, "QLinearGlobalAveragePool"): Fused(_unary("GlobalAveragePool"), operands=5),
    (MICROSOFT, "QLinearAveragePool"): Fused(_unary("AveragePool", *_POOL), operands=5),
    (MICROSOFT, "QLinearSoftmax"): Fused(_softmax, operands=5),
    (MICROSOFT, "QLinearConcat"): Fused(_concat, operands=5),
    (MICROSOFT, "QuantizeLinear"): Fused(standard("QuantizeLinear"), operands=2),
    (MICROSOFT, "DequantizeLinear"): Fused(standard("DequantizeLinear"), operands=2),
}
