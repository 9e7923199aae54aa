"""What only renames axes, and TRANSPOSE."""

from __future__ import annotations

from math import prod

from compressor.ingest.tflite.emitter import Emitter
from compressor.ingest.tflite.flatbuffer import Malformed


def _reshape(e: Emitter) -> None:
    """The target is the shape of the output tensor, which the file states for every operator."""
    if prod(e.tensor(0).shape) != prod(e.out().shape):
        raise Malformed(f"operator {e.operator.index} reshapes to another number of elements")
    e.finish(e.to_shape_of(e.shared(0), e.out()))


def _transpose(e: Emitter) -> None:
    perm = tuple(e.ints(1, "the permutation"))
    if sorted(perm) != list(range(e.tensor(0).rank)):
        raise Malformed(f"operator {e.operator.index} permutes axes by {list(perm)}")
    e.finish(e.transpose(e.shared(0), perm))


READ = {
    "RESHAPE": _reshape,
    "SQUEEZE": _reshape,
    "EXPAND_DIMS": _reshape,
    "TRANSPOSE": _transpose,
}
