"""Sparse constants are made dense: no kernel that edgec writes for reads them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx

from compressor.errors import Code, EdgecError
from compressor.ingest.onnx.reading import unreadable
from compressor.ingest.onnx.walk import graphs_of, nodes_of

MAX_DENSE_BYTES = 1 << 28


def densify(proto: onnx.ModelProto, path: Path) -> None:
    """Replace sparse initializers and ``sparse_value`` attributes of *proto* in place.

    Raises:
        EdgecError: ``MODEL_TOO_LARGE`` beyond ``MAX_DENSE_BYTES`` each, ``MODEL_UNREADABLE`` when
            indices do not fit, ``MODEL_UNSUPPORTED`` when they lie in a file.
    """
    for graph in graphs_of(proto):
        for sparse in graph.sparse_initializer:
            graph.initializer.append(_dense(sparse, path))
        del graph.sparse_initializer[:]
    for body in (proto.graph, *proto.functions):
        for node in nodes_of(body):
            for attribute in node.attribute:
                if attribute.type == onnx.AttributeProto.SPARSE_TENSOR:
                    tensor = _dense(attribute.sparse_tensor, path)
                    attribute.CopyFrom(onnx.helper.make_attribute("value", tensor))


def _dense(sparse: onnx.SparseTensorProto, path: Path) -> onnx.TensorProto:
    name, dims = sparse.values.name, list(sparse.dims)
    if onnx.TensorProto.EXTERNAL in (sparse.values.data_location, sparse.indices.data_location):
        raise EdgecError(
            Code.MODEL_UNSUPPORTED,
            f"sparse constant '{name}' lies in an external file",
            where=str(path),
            expected="a dense constant, or a sparse one inside the model",
        )
    values = onnx.numpy_helper.to_array(sparse.values)
    indices = onnx.numpy_helper.to_array(sparse.indices)
    count = math.prod(dims)
    if any(dim < 0 for dim in dims) or values.ndim != 1 or indices.dtype != np.int64:
        raise unreadable(path, f"sparse constant '{name}' is malformed")
    if count * values.itemsize > MAX_DENSE_BYTES:
        raise EdgecError(
            Code.MODEL_TOO_LARGE,
            f"sparse constant '{name}' would take {count * values.itemsize:,} bytes",
            where=str(path),
            expected=f"at most {MAX_DENSE_BYTES:,} bytes",
        )
    flat = _flat_indices(indices, dims)
    if flat is None or flat.shape != values.shape or np.any((flat < 0) | (flat >= count)):
        raise unreadable(path, f"sparse constant '{name}' has indices outside its shape {dims}")
    dense = np.zeros(count, values.dtype)
    dense[flat] = values
    return onnx.numpy_helper.from_array(dense.reshape(dims), name)


def _flat_indices(
    indices: np.ndarray[tuple[int, ...], np.dtype[np.int64]], dims: list[int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]] | None:
    """Return linear positions from linear ones, or from coordinates of shape [count, rank]."""
    if indices.ndim == 1:
        return indices
    if indices.ndim != 2 or indices.shape[1] != len(dims):
        return None
    if np.any((indices < 0) | (indices >= np.asarray(dims, np.int64))):
        return None
    return np.asarray(np.ravel_multi_index(tuple(indices.T), dims), np.int64)
