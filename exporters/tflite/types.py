"""Which element types TFLite's kernels compute on, and how other integers are computed in them.

A kernel that lacks a type is given a wider one between two CASTs, where that changes no result:
sums, products and comparisons of small integers are the same in 32 bits, and a CAST back drops the
high bits as the narrow arithmetic would have done. 64 bits are narrowed only where every value is
known to fit.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from compressor.ir.annotations import quant_of

_D = ir.DataType
FLOATS = frozenset({_D.FLOAT})
WHOLE = frozenset({_D.INT32, _D.INT64})
BYTES = frozenset({_D.INT8, _D.UINT8, _D.BOOL})
NUMBERS = FLOATS | WHOLE
MOVABLE = NUMBERS | BYTES | {_D.INT16}
TENSORS = MOVABLE | {_D.UINT16, _D.UINT32}
INTERFACE = TENSORS | {_D.FLOAT16, _D.DOUBLE}

Bounds = tuple[int, int]

_WIDER: Mapping[ir.DataType, tuple[ir.DataType, ...]] = {
    _D.BOOL: (_D.INT32, _D.INT64, _D.FLOAT),
    _D.INT8: (_D.INT32, _D.INT64, _D.FLOAT),
    _D.UINT8: (_D.INT32, _D.INT64, _D.FLOAT),
    _D.INT16: (_D.INT32, _D.INT64, _D.FLOAT),
    _D.UINT16: (_D.INT32, _D.INT64, _D.FLOAT),
    _D.INT32: (_D.INT64,),
    _D.UINT32: (_D.INT64,),
}
_INT32: Bounds = (-(1 << 31), (1 << 31) - 1)


def computing_type(
    dtype: ir.DataType, types: frozenset[ir.DataType], bounds: Bounds | None
) -> ir.DataType | None:
    """Return the type among *types* to compute *dtype* in, None when none is exact.

    *bounds* are those of all operands and results, as far as known.
    """
    if dtype in types:
        return dtype
    for wider in _WIDER.get(dtype, ()):
        if wider in types:
            return wider
    fits = bounds is not None and _INT32[0] <= bounds[0] and bounds[1] <= _INT32[1]
    return _D.INT32 if dtype == _D.INT64 and fits and _D.INT32 in types else None


def type_of(value: ir.Value) -> ir.DataType:
    """Return the type that *value* has in the source; real numbers where none is stated."""
    return _D.FLOAT if value.dtype is None else value.dtype


def is_plain(value: ir.Value | None) -> bool:
    """Whether *value* exists and is not quantized."""
    return value is not None and quant_of(value) is None
