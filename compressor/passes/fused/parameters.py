"""Parameters from QuantizeLinear and DequantizeLinear nodes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.ir.quant import IntegerType, QuantParams
from compressor.ir.rewrite import Array, constant_of

_SIGNED = {
    ir.DataType.INT8: (IntegerType.INT8, 0),
    ir.DataType.UINT8: (IntegerType.INT8, 128),
    ir.DataType.INT16: (IntegerType.INT16, 0),
    ir.DataType.UINT16: (IntegerType.INT16, 1 << 15),
    ir.DataType.INT32: (IntegerType.INT32, 0),
    ir.DataType.INT4: (IntegerType.INT8, 0),
    ir.DataType.UINT4: (IntegerType.INT8, 0),
}


def signed_params(node: ir.Node) -> QuantParams | None:
    """Return what *node*'s integers mean once they are signed; None for forms without an equal.

    Unsigned integers become signed ones of the same width, which stand for the same numbers.
    Blocks of several scales an axis, half-precision scales, floats of 8 bits and computed
    parameters have no equal here.
    """
    found = _SIGNED.get(stored_type(node))
    scale = constant_of(node.inputs[1])
    if found is None or scale is None or node.attributes.get_int("block_size"):
        return None
    dtype, offset = found
    zero = constant_of(node.inputs[2]) if _has_zero_point(node) else np.zeros(scale.shape, np.int64)
    if zero is None or zero.size != scale.size or scale.dtype != np.float32:
        return None
    axis = None if scale.size == 1 else _axis(node)
    points = tuple(int(point) - offset for point in zero.ravel())
    try:
        return QuantParams(
            dtype=dtype,
            scale=tuple(float(step) for step in scale.ravel()),
            zero_point=points,
            axis=axis,
        )
    except ValueError:  # a scale of zero, say
        return None


def signed_integers(node: ir.Node) -> Array | None:
    """Return the constant integers that a DequantizeLinear *node* reads, as signed ones."""
    integers = constant_of(node.inputs[0])
    found = _SIGNED.get(stored_type(node))
    if integers is None or found is None:
        return None
    dtype, offset = found
    return np.asarray(integers.astype(np.int64) - offset, dtype.numpy)


def stored_type(node: ir.Node) -> ir.DataType:
    """Return the integer type of *node*'s quantized side."""
    quantizes = node.op_type == "QuantizeLinear"
    if _has_zero_point(node):
        value = node.inputs[2]
    elif quantizes:
        wanted = node.attributes.get_int("output_dtype", 0)
        return ir.DataType(wanted) if wanted else ir.DataType.UINT8
    else:
        value = node.inputs[0]
    dtype = None if value is None else value.dtype
    return ir.DataType.UNDEFINED if dtype is None else dtype


def _has_zero_point(node: ir.Node) -> bool:
    return len(node.inputs) > 2 and node.inputs[2] is not None


def _axis(node: ir.Node) -> int | None:
    axis = node.attributes.get_int("axis", 1)
    source = node.inputs[0]
    if axis < 0 and (source is None or source.shape is None):
        return axis
    return axis % len(source.shape) if axis < 0 and source is not None and source.shape else axis
