"""Formats that are one flatbuffer end at 2 GiB: its offsets are 32-bit integers with a sign."""

from __future__ import annotations

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import quant_of
from exporters.protocol import ExportOptions, WeightType

LARGEST_FILE = (1 << 31) - 1


def refuse_large(
    model: ir.Model, options: ExportOptions, target: str, *, largest: int = LARGEST_FILE
) -> None:
    """Raise ``ARTIFACT_TOO_LARGE`` when the constants of *model* alone exceed *largest* bytes."""
    total = sum(_stored_bytes(value, options) for value in model.graph.initializers.values())
    if total > largest:
        raise EdgecError(
            Code.ARTIFACT_TOO_LARGE,
            f"the constants of the model take {total:,} bytes",
            where=f"--to {target}",
            expected=f"at most {largest:,} bytes, which is what a {target} file can hold",
            hint=f"leave {target} out of --to, or make the model smaller: --quantize int8",
        )


def _stored_bytes(value: ir.Value, options: ExportOptions) -> int:
    tensor, params = value.const_value, quant_of(value)
    if tensor is None or tensor.dtype is ir.DataType.STRING:
        return 0
    if params is not None:
        return tensor.size * params.dtype.numpy.itemsize
    halved = options.float_weights is WeightType.FLOAT16 and tensor.dtype is ir.DataType.FLOAT
    return tensor.nbytes // 2 if halved else tensor.nbytes
