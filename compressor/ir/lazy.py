"""Constants that are not held in memory: they lie in a file, or follow from others when read.

A model may be larger than the memory that it is compiled in. What is large is therefore read, or
computed, each time that someone asks for its numbers, and forgotten again; what is small is
computed at once, as it is cheaper to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

LARGE_BYTES = 16 << 20

Array = npt.NDArray[Any]


def stored(
    path: Path, offset: int, dtype: ir.DataType, shape: Sequence[int], name: str
) -> ir.TensorProtocol:
    """Return the tensor whose little-endian bytes start at *offset* of the file at *path*.

    It is mapped while its array is in use: pages that nobody reads any more cost nothing. Types
    narrower than a byte are not stored one element after the other, and are not taken.
    """
    if dtype.bitwidth < 8:
        raise ValueError(f"{dtype.name} is packed")

    def read() -> ir.TensorProtocol:
        if 0 in shape:
            return ir.tensor(np.zeros(shape, dtype.numpy()), name=name)
        return ir.tensor(np.memmap(path, dtype.numpy(), "r", offset, tuple(shape)), dtype=dtype)

    return ir.LazyTensor(read, dtype, ir.Shape(shape), name=name)


def derived(
    source: ir.TensorProtocol,
    compute: Callable[[Array], Array],
    *,
    dtype: ir.DataType,
    shape: Sequence[int],
) -> ir.TensorProtocol:
    """Return ``compute(source)``, of type *dtype* and *shape*; each time anew when it is large."""

    def evaluate() -> ir.TensorProtocol:
        return ir.tensor(np.ascontiguousarray(compute(source.numpy())), dtype=dtype)

    if max(source.nbytes, _bytes(dtype, shape)) < LARGE_BYTES:
        return evaluate()
    return ir.LazyTensor(evaluate, dtype, ir.Shape(shape))


def _bytes(dtype: ir.DataType, shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.bitwidth // 8
