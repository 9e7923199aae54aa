"""Changes of representation: QUANTIZE and DEQUANTIZE, CAST."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from compressor.ingest.tflite.emitter import Emitter
from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import constant_of


def _quantize(e: Emitter) -> None:
    e.finish(e.input(0))


def _dequantize(e: Emitter) -> None:
    """Constants are real numbers already: float16 ones widened, integer ones annotated."""
    source = e.input(0)
    array = constant_of(source)
    if array is not None and quant_of(source) is None:
        e.finish(e.constant(array.astype(np.float32)))
        return
    e.finish(e.real(0))


def _cast(e: Emitter) -> None:
    """Casts of quantized integers are casts of the numbers that they stand for."""
    kind = ir.DataType.from_numpy(e.out().dtype)
    if e.params is not None:
        raise e.refuse("a cast to integers with a scale is ambiguous")
    e.finish(e.emit("Cast", [e.real(0)], e.tensor(0).shape, {"to": kind}, dtype=kind))


READ = {"QUANTIZE": _quantize, "DEQUANTIZE": _dequantize, "CAST": _cast}
