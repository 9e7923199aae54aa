"""Constants of an ONNX file: as long as they say, and read from the model's own folder only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import onnx
import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest._onnx_refusal import unreadable


def check_tensors(proto: onnx.ModelProto, path: Path) -> None:
    """Check the data of every constant of *proto*, which was read from *path*.

    Raises:
        EdgecError: ``MODEL_UNREADABLE`` for data that is not as long as its shape says,
            ``EXTERNAL_DATA`` for files outside the model's folder, behind links or too short.
    """
    for tensor in _tensors(proto):
        needed = _needed_bytes(tensor, path)
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            _check_external(tensor, needed, path)
        elif not _is_complete(tensor, needed):
            raise unreadable(
                path, f"constant '{tensor.name}' does not hold {list(tensor.dims)} elements"
            )


def _tensors(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor, wherever it hides: initializers, attributes, bodies of functions."""
    yield from proto.graph.initializer
    for nodes in (proto.graph.node, *(function.node for function in proto.functions)):
        yield from _attribute_tensors(nodes)


def _attribute_tensors(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _needed_bytes(tensor: onnx.TensorProto, path: Path) -> int:
    """Return the bytes that the elements of *tensor* take; strings count one each."""
    known = tensor.data_type in onnx.TensorProto.DataType.values() and tensor.data_type
    if not known or any(dim < 0 for dim in tensor.dims):
        kind = f"type {tensor.data_type}" if not known else f"shape {list(tensor.dims)}"
        raise unreadable(path, f"constant '{tensor.name}' has the {kind}")
    count = int(math.prod(tensor.dims))
    if tensor.data_type == onnx.TensorProto.STRING:
        return count
    bits: int = ir.DataType(tensor.data_type).bitwidth
    return -(-count * bits // 8)


def _is_complete(tensor: onnx.TensorProto, needed: int) -> bool:
    """Whether the data inside the file are exactly as long as needed."""
    if tensor.HasField("raw_data"):
        return len(tensor.raw_data) == needed
    stored = getattr(tensor, onnx.helper.tensor_dtype_to_field(tensor.data_type))
    if tensor.data_type == onnx.TensorProto.STRING:
        return len(stored) == needed
    size = ir.DataType(tensor.data_type).bitwidth / 8
    parts = 2 if tensor.data_type in _COMPLEX else 1  # real and imaginary lie one after the other
    return len(stored) == math.ceil(needed / max(size, 1)) * parts


_COMPLEX = (onnx.TensorProto.COMPLEX64, onnx.TensorProto.COMPLEX128)


def _check_external(tensor: onnx.TensorProto, needed: int, path: Path) -> None:
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    problem = _place_problem(location, path.parent)
    if not problem:
        problem = _length_problem(entries, needed, (path.parent / location).stat().st_size)
    if problem:
        raise EdgecError(
            Code.EXTERNAL_DATA,
            f"external data '{location[:100]}' of tensor '{tensor.name}' {problem}",
            where=str(path),
            expected="an ordinary file inside the model's own folder",
            hint="copy the model together with its data files, or save it as one file",
        )


def _place_problem(location: str, folder: Path) -> str:
    """Return what is wrong with where *location* leads from the model's *folder*."""
    parts = Path(location).parts
    if not parts or "\0" in location or Path(location).is_absolute() or ".." in parts:
        return "leaves the model's folder"
    steps = [folder.joinpath(*parts[: count + 1]) for count in range(len(parts))]
    try:
        if any(step.is_symlink() for step in steps):
            return "is a symbolic link"
        return "" if steps[-1].is_file() else "does not exist or is not a file"
    except OSError as error:
        return f"cannot be opened: {error.strerror}"


def _length_problem(entries: dict[str, str], needed: int, size: int) -> str:
    """Return what is wrong with the part of a file of *size* bytes that *entries* name."""
    try:
        offset = int(entries.get("offset", 0))
        length = int(entries.get("length", max(size - offset, 0)))
    except ValueError:
        return "has an offset or length that is no number"
    if offset < 0 or length < 0 or offset + length > size:
        return f"has {size:,} bytes, fewer than offset {offset:,} and length {length:,} name"
    return "" if length >= needed else f"gives {length:,} bytes for a tensor of {needed:,}"
