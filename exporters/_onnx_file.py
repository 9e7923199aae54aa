"""ONNX files of any size: large constants go straight to the file, one after the other.

A protobuf message ends at 2 GiB. Up to there one file holds the whole model; beyond that its large
constants lie in a second file beside it, as the ONNX standard lays down for external data.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import onnx
import onnx_ir as ir

from compressor.files import atomically, write_atomically

LARGEST_MESSAGE = (1 << 31) - 1
_LARGE = 1024  # bytes from which a constant is not made part of the message in memory
_PAGE = 1 << 16  # what the allocation units of all systems divide, for constants to be mapped
_MAPPED = 1 << 20
_ALIGNMENT = 64
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # field numbers in onnx.proto
_LENGTH_DELIMITED = 2


@dataclass(frozen=True, kw_only=True)
class _Constant:
    """A large constant, and where it lies among the others in a file of their own."""

    tensor: ir.TensorProtocol
    offset: int


def to_bytes(model: ir.Model) -> bytes:
    """Return *model* as one serialized ModelProto; its large constants become references."""
    stream = io.BytesIO()
    constants = _take_out(model.graph, location="")
    _write_message(ir.to_proto(model), constants, stream)
    return stream.getvalue()


def save(model: ir.Model, path: Path, *, largest: int = LARGEST_MESSAGE) -> tuple[Path, ...]:
    """Write *model* to *path*, with its constants in a second file when one would be too large.

    The files appear whole or not at all, the model after its data. Large constants of *model*
    become references.

    Args:
        model: any model without annotations.
        path: where the model goes; the second file is called the same, with ``.data`` behind it.
        largest: bytes that one file may have.

    Returns:
        The files of the model, *path* first.
    """
    beside = path.with_name(f"{path.name}.data")
    constants = _take_out(model.graph, location=beside.name)
    proto = ir.to_proto(model)
    inside = sum(_LARGE + constant.tensor.nbytes for constant in constants.values())
    if proto.ByteSize() + inside <= largest:
        with atomically(path) as stream:
            _write_message(proto, constants, stream)
        return (path,)
    with atomically(beside) as stream:
        _write_data(constants.values(), stream)
    write_atomically(path, proto.SerializeToString(deterministic=True))
    return path, beside


def _take_out(graph: ir.Graph, *, location: str) -> dict[str, _Constant]:
    """Replace the large constants of *graph* by references to *location*; equal ones share one."""
    constants: dict[str, _Constant] = {}
    known: dict[int, int] = {}
    end = 0
    for name, value in graph.initializers.items():
        tensor = value.const_value
        if tensor is None or tensor.dtype is ir.DataType.STRING or tensor.nbytes < _LARGE:
            continue
        if id(tensor) not in known:
            known[id(tensor)] = _aligned(end, _PAGE if tensor.nbytes >= _MAPPED else _ALIGNMENT)
            end = known[id(tensor)] + tensor.nbytes
        offset = known[id(tensor)]
        constants[name] = _Constant(tensor=tensor, offset=offset)
        value.const_value = ir.ExternalTensor(
            location,
            offset,
            tensor.nbytes,
            tensor.dtype,
            shape=ir.Shape(tensor.shape.numpy()),
            name=name,
        )
    return constants


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


def _write_data(constants: Iterable[_Constant], stream: BinaryIO) -> None:
    """Write every constant at its offset; one that several share is written once."""
    for constant in constants:
        if constant.offset >= stream.tell():
            stream.write(bytes(constant.offset - stream.tell()))
            _write_tensor(constant.tensor, stream)


def _write_message(
    proto: onnx.ModelProto, constants: Mapping[str, _Constant], stream: BinaryIO
) -> None:
    """Write *proto* with the *constants* that it refers to in place of the references.

    A message of protobuf is preceded by its length, and fields may come in any order: the graph's
    length is added up, then its small fields are written, then one constant after the other.
    """
    references = [t for t in proto.graph.initializer if t.name in constants]
    small = [t for t in proto.graph.initializer if t.name not in constants]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(small)
    graph = proto.graph.SerializeToString(deterministic=True)
    heads = [_head(reference, constants[reference.name].tensor) for reference in references]
    sizes = [constants[reference.name].tensor.nbytes for reference in references]
    proto.ClearField("graph")
    stream.write(proto.SerializeToString(deterministic=True))
    length = len(graph) + sum(len(head) + size for head, size in zip(heads, sizes, strict=True))
    stream.write(_field(_GRAPH, length))
    stream.write(graph)
    for head, reference in zip(heads, references, strict=True):
        stream.write(head)
        _write_tensor(constants[reference.name].tensor, stream)


def _head(reference: onnx.TensorProto, tensor: ir.TensorProtocol) -> bytes:
    """Return everything of an initializer field but the content of *tensor*, which follows."""
    described = onnx.TensorProto(
        name=reference.name, dims=reference.dims, data_type=reference.data_type
    ).SerializeToString(deterministic=True)
    start = bytes(described) + _field(_RAW_DATA, tensor.nbytes)
    return _field(_INITIALIZER, len(start) + tensor.nbytes) + start


def _field(number: int, length: int) -> bytes:
    """Return the tag and the length in front of a field of *length* bytes."""
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(length)


def _varint(value: int) -> bytes:
    """Return *value* in groups of seven bits, least first, as protobuf encodes integers."""
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])


def _write_tensor(tensor: ir.TensorProtocol, stream: BinaryIO) -> None:
    """Write the little-endian bytes of *tensor* without a copy where its array has them."""
    if tensor.dtype.bitwidth < 8:
        stream.write(tensor.tobytes())
    else:
        stream.write(np.ascontiguousarray(tensor.numpy()).reshape(-1).view(np.uint8).data)
