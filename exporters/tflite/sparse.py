"""Constants of which most elements are zero: only the others are stored, with their places.

The form is that of ``SparsityParameters`` in LiteRT's schema: all dimensions but one are walked
densely, the last one in compressed rows. An operator DENSIFY restores the tensor when the file is
loaded, so that inference is neither faster nor slower.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.versions import Table

Array = npt.NDArray[Any]

_FEWEST_ELEMENTS = 256
_WORTHWHILE = 0.9  # of the dense size
_SIZES = (1, 2, 4)


@dataclass(frozen=True, kw_only=True)
class Sparse:
    """A constant in compressed rows: its nonzero elements, and the table that places them."""

    values: Array
    parameters: Table


def encode(array: Array) -> Sparse | None:
    """Return *array* in the smallest sparse form, None where that would not be smaller."""
    if array.size < _FEWEST_ELEMENTS:
        return None
    count = int(np.count_nonzero(array))
    sizes = {axis: _bytes(array, axis, count) for axis in range(array.ndim)}
    axis = min(sizes, key=lambda a: sizes[a])
    if sizes[axis] > _WORTHWHILE * array.nbytes:
        return None
    order = [a for a in range(array.ndim) if a != axis] + [axis]
    rows = array.transpose(order).reshape(-1, array.shape[axis])
    places = np.nonzero(rows)
    counts = np.bincount(places[0], minlength=len(rows))
    segments = np.concatenate([[0], np.cumsum(counts)])
    parameters = schema.SparsityParametersT(
        traversalOrder=np.array(order, np.int32),
        dimMetadata=[
            schema.DimensionMetadataT(
                format=schema.DimensionType.DENSE, denseSize=int(array.shape[a])
            )
            for a in order[:-1]
        ]
        + [_compressed(segments, places[1])],
    )
    return Sparse(values=rows[places], parameters=parameters)


def _bytes(array: Array, axis: int, count: int) -> int:
    rows = array.size // max(array.shape[axis], 1)
    places = count * _width(array.shape[axis] - 1) + (rows + 1) * _width(count)
    return int(count * array.itemsize + places)


def _width(largest: int) -> int:
    return next(size for size in _SIZES if largest < 1 << 8 * size)


def _compressed(segments: Array, indices: Array) -> Table:
    segment_type, segment_vector = _vector(segments)
    index_type, index_vector = _vector(indices)
    return schema.DimensionMetadataT(
        format=schema.DimensionType.SPARSE_CSR,
        arraySegmentsType=segment_type,
        arraySegments=segment_vector,
        arrayIndicesType=index_type,
        arrayIndices=index_vector,
    )


def _vector(numbers: Array) -> tuple[int, Table]:
    """Return *numbers* in the smallest of the schema's vectors that holds them."""
    kinds = schema.SparseIndexVector
    match _width(int(numbers.max(initial=0))):
        case 1:
            return kinds.Uint8Vector, schema.Uint8VectorT(values=numbers.astype(np.uint8))
        case 2:
            return kinds.Uint16Vector, schema.Uint16VectorT(values=numbers.astype(np.uint16))
        case _:
            return kinds.Int32Vector, schema.Int32VectorT(values=numbers.astype(np.int32))
