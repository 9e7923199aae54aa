"""Constants hold exactly as many bytes as their shape and type say."""

from __future__ import annotations

import math
from pathlib import Path

import onnx
import onnx_ir as ir

from compressor.ingest.onnx.reading import unreadable

_MAX_RANK = 32
_MAX_BYTES = 1 << 40

_PACKED = frozenset({"INT4", "UINT4", "FLOAT4E2M1", "INT2", "UINT2"})
_INT32 = "BOOL INT8 UINT8 INT16 UINT16 INT32 FLOAT16 BFLOAT16"
_FIELD = {
    "FLOAT": "float_data",
    "COMPLEX64": "float_data",
    "DOUBLE": "double_data",
    "COMPLEX128": "double_data",
    "INT64": "int64_data",
    "UINT32": "uint64_data",
    "UINT64": "uint64_data",
    "STRING": "string_data",
    **dict.fromkeys(_INT32.split(), "int32_data"),
}


def check_tensor(tensor: onnx.TensorProto, path: Path) -> None:
    """Raise ``MODEL_UNREADABLE`` unless *tensor*'s data fits its type and shape."""
    problem = _problem(tensor)
    if problem:
        raise unreadable(path, f"constant '{tensor.name}' {problem}")


def decode_constants(model: ir.Model) -> None:
    """Turn the initializers of *model* into arrays: a message copies its bytes at each look."""
    for value in model.graph.initializers.values():
        tensor = value.const_value
        if isinstance(tensor, ir.serde.TensorProtoTensor):
            value.const_value = ir.Tensor(tensor.numpy(), dtype=tensor.dtype, name=tensor.name)


def byte_size(tensor: onnx.TensorProto) -> int:
    """Return the bytes that *tensor* takes when stored raw."""
    bits: int = ir.DataType(tensor.data_type).bitwidth
    return -(-int(math.prod(tensor.dims)) * bits // 8)


def _problem(tensor: onnx.TensorProto) -> str:
    try:
        dtype = ir.DataType(tensor.data_type)
    except ValueError:
        return f"has the unknown type {tensor.data_type}"
    if dtype is ir.DataType.UNDEFINED:
        return "has no type"
    if len(tensor.dims) > _MAX_RANK or any(dim < 0 for dim in tensor.dims):
        return f"has the impossible shape {list(tensor.dims[:_MAX_RANK])}"
    if dtype is not ir.DataType.STRING and byte_size(tensor) > _MAX_BYTES:
        return f"has the impossible shape {list(tensor.dims)}"
    if tensor.HasField("segment"):
        return "is stored in segments, which the standard does not define"
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return "of strings lies in a file" if dtype is ir.DataType.STRING else ""
    return _data_problem(tensor, dtype)


def _data_problem(tensor: onnx.TensorProto, dtype: ir.DataType) -> str:
    count = math.prod(tensor.dims)
    if tensor.HasField("raw_data"):
        if dtype is ir.DataType.STRING:
            return "holds strings as raw data"
        have, want, unit = len(tensor.raw_data), byte_size(tensor), "bytes"
    else:
        field = _FIELD.get(dtype.name, "int32_data")
        have, unit = len(getattr(tensor, field)), "elements"
        packed = 8 // dtype.bitwidth if dtype.name in _PACKED else 1
        want = 2 * count if dtype.name.startswith("COMPLEX") else -(-count // packed)
    return "" if have == want else f"has {have:,} {unit}, and its shape needs {want:,}"
