"""PAD, PADV2 and MIRROR_PAD; integers are padded with their zero point."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ingest.tflite.contents import Array
from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.flatbuffer import Malformed

_MODES = {
    schema.MirrorPadMode.REFLECT: ("reflect", 1),
    schema.MirrorPadMode.SYMMETRIC: ("symmetric", 0),
}


def _pad(e: Emitter) -> None:
    amounts = _amounts(e)
    inputs: list[ir.Value | None] = [e.shared(0), _pads(e, amounts)]
    if len(e.operator.inputs) > 2:
        inputs.append(_fill(e))
    e.finish(e.emit("Pad", inputs, e.out().shape, params=e.params))


def _fill(e: Emitter) -> ir.Value:
    """Return the value to pad with; a scalar in the type of the data."""
    return e.constant(e.array(2, "the value to pad with").reshape(-1)[0])


def _mirror(e: Emitter) -> None:
    """Symmetric padding, which repeats the edge itself, is joined from reversed slices."""
    mode, skipped = _MODES[e.options(schema.MirrorPadOptionsT).mode]
    amounts, shape = _amounts(e), e.tensor(0).shape
    if any(max(pair) > n - skipped for pair, n in zip(amounts.tolist(), shape, strict=True)):
        raise Malformed(f"operator {e.operator.index} mirrors more than there is")
    if mode == "reflect":
        inputs = [e.shared(0), _pads(e, amounts)]
        e.finish(e.emit("Pad", inputs, e.out().shape, {"mode": "reflect"}, params=e.params))
        return
    result = e.shared(0)
    for axis, (before, after) in enumerate(amounts.tolist()):
        if before or after:
            positions = np.pad(np.arange(shape[axis]), (before, after), "symmetric")
            size = tuple(
                len(positions) if a == axis else int(n)  # type: ignore[arg-type]
                for a, n in enumerate(result.shape or ())
            )
            indices = e.constant(positions.astype(np.int64))
            result = e.emit("Gather", [result, indices], size, {"axis": axis}, params=e.params)
    e.finish(result)


def _amounts(e: Emitter) -> Array:
    """Return the elements added before and after each axis, `[rank, 2]`."""
    amounts = e.array(1, "the amount of padding")
    if amounts.shape != (e.tensor(0).rank, 2) or amounts.min(initial=0) < 0:
        raise Malformed(f"operator {e.operator.index} pads by {amounts.tolist()}")
    return amounts


def _pads(e: Emitter, amounts: Array) -> ir.Value:
    return e.constant(amounts.T.ravel().astype(np.int64))


READ = {"PAD": _pad, "PADV2": _pad, "MIRROR_PAD": _mirror}
