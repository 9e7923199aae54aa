"""Quantization parameters of a TFLite tensor; 8-bit ones become int8, whatever they are stored as.

uint8 files (the scheme of Jacob et al., CVPR 2018) mean the same numbers with a zero point that is
higher by 128.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from compressor.ingest.tflite.contents import Array, Shape
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.refusal import foreign
from compressor.ir.quant import IntegerType, QuantParams

# A table of the schema: its generated classes have no annotations.
Table = Any

_TYPES = {
    "int8": IntegerType.INT8,
    "uint8": IntegerType.UINT8,
    "int16": IntegerType.INT16,
    "int32": IntegerType.INT32,
    "int64": IntegerType.INT32,  # biases of 16-bit layers
}


def read_params(table: Table, dtype: np.dtype[Any], shape: Shape, name: str) -> QuantParams | None:
    """Return what the integers of tensor *name* mean, in the type as stored; None for plain ones.

    Raises:
        Malformed: when the parameters contradict the tensor, or are no affine mapping.
    """
    kind = _TYPES.get(dtype.name)
    if table is None or kind is None or not table.ScaleLength():
        return None
    if table.DetailsType():
        raise foreign(name, "has a custom or blockwise quantization")
    scale = table.ScaleAsNumpy()
    zero = table.ZeroPointAsNumpy() if table.ZeroPointLength() else np.zeros(len(scale), np.int64)
    axis = table.QuantizedDimension() if len(scale) > 1 else None
    if axis is not None and not (0 <= axis < len(shape) and shape[axis] == len(scale)):
        raise Malformed(f"tensor '{name}' has {len(scale):,} scales for shape {list(shape)}")
    zero = np.broadcast_to(zero, scale.shape) if len(zero) == 1 else zero
    try:
        return QuantParams(
            dtype=kind,
            scale=tuple(float(s) for s in scale),
            zero_point=tuple(int(z) for z in zero),
            axis=axis,
        )
    except ValueError as error:
        raise Malformed(f"tensor '{name}': {error}") from error


def signed(params: QuantParams) -> QuantParams:
    """Return *params* with uint8 shifted to int8."""
    return params.shifted(IntegerType.INT8) if params.dtype is IntegerType.UINT8 else params


def real_values(array: Array, params: QuantParams, name: str) -> Array:
    """Return the real numbers that a constant's integers mean, as float32.

    ``params.quantize`` gives the integers back, exactly up to 24 bits: a bias beyond that is
    rounded to what float32 holds, one part in 2**24.

    Raises:
        Malformed: when 64-bit integers do not fit into 32 bits.
    """
    low, high = params.dtype.low, params.dtype.high
    if array.dtype.itemsize > 4 and array.size and not low <= array.min() <= array.max() <= high:
        raise Malformed(f"constant '{name}' needs more than 32 bits")
    return params.dequantize(array)
