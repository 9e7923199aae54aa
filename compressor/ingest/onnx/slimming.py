"""Large models in one file: their constants are left where they lie and read from there when used.

The file is walked field by field, as protobuf lays messages out; what is left of it without the
content of its large constants is a small message, which refers to them as external data.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import google.protobuf.message
import onnx

from compressor.ingest.onnx.tensors import byte_size
from compressor.ir.lazy import LARGE_BYTES

LARGE_FILE = 256 << 20
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # field numbers in onnx.proto
_LONGEST_VARINT = 10


class _Kind(IntEnum):
    """How a field is laid out: the last three bits of its tag."""

    VARINT = 0
    FIXED64 = 1
    DELIMITED = 2
    FIXED32 = 5


class MalformedError(Exception):
    """The bytes are no protobuf message; the parser says so in its own words."""


@dataclass(frozen=True)
class _Field:
    """One field of a message: its number, and where it and its content start and end."""

    number: int
    start: int
    content: int
    end: int
    delimited: bool


def read_slim(path: Path) -> bytes:
    """Return the bytes of the model at *path*, without large constants when the file is large."""
    large = path.stat().st_size >= LARGE_FILE and not path.is_symlink()
    content = slim(path) if large else None
    return path.read_bytes() if content is None else content


def slim(path: Path, *, least: int = LARGE_BYTES) -> bytes | None:
    """Return the model at *path* with constants of *least* bytes as references to that very file.

    None when there are none, or when the file is not laid out as expected: it is parsed as it is.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _slim_model(data, path.name, least)
        except MalformedError:
            return None


def _slim_model(data: mmap.mmap, location: str, least: int) -> bytes | None:
    parts, found = [], False
    for field in _fields(data, 0, len(data)):
        if field.number != _GRAPH or not field.delimited:
            parts.append(data[field.start : field.end])
            continue
        inner = [_slim_initializer(data, part, location, least) for part in _within(data, field)]
        found = found or any(changed for _, changed in inner)
        parts.append(_delimited(_GRAPH, b"".join(content for content, _ in inner)))
    return b"".join(parts) if found else None


def _slim_initializer(
    data: mmap.mmap, field: _Field, location: str, least: int
) -> tuple[bytes, bool]:
    """Return *field* of the graph, as a reference if it is a large constant, and whether it is."""
    large = field.end - field.content >= least
    if field.number != _INITIALIZER or not field.delimited or not large:
        return data[field.start : field.end], False
    pieces = list(_within(data, field))
    raw = [piece for piece in pieces if piece.number == _RAW_DATA and piece.delimited]
    rest = b"".join(data[p.start : p.end] for p in pieces if p not in raw)
    tensor = onnx.TensorProto()
    try:
        tensor.ParseFromString(rest)
    except google.protobuf.message.DecodeError as error:
        raise MalformedError from error
    if len(raw) != 1 or not _is_plain(tensor, raw[0].end - raw[0].content):
        return data[field.start : field.end], False
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entries = {
        "location": location,
        "offset": raw[0].content,
        "length": raw[0].end - raw[0].content,
    }
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return _delimited(_INITIALIZER, tensor.SerializeToString()), True


def _is_plain(tensor: onnx.TensorProto, length: int) -> bool:
    """Whether *tensor* has *length* raw bytes as its shape and type say, and nothing else."""
    if tensor.external_data or tensor.data_location or tensor.HasField("segment"):
        return False
    try:
        return min(tensor.dims, default=1) >= 0 and byte_size(tensor) == length
    except (ValueError, TypeError):
        return False


def _within(data: mmap.mmap, field: _Field) -> Iterator[_Field]:
    return _fields(data, field.content, field.end)


def _fields(data: mmap.mmap, start: int, end: int) -> Iterator[_Field]:
    """Yield the fields of the message between *start* and *end*."""
    while start < end:
        tag, content = _varint(data, start, end)
        kind, length = tag & 7, 0
        match kind:
            case _Kind.VARINT:
                length = _varint(data, content, end)[1] - content
            case _Kind.FIXED64:
                length = 8
            case _Kind.DELIMITED:
                length, content = _varint(data, content, end)
            case _Kind.FIXED32:
                length = 4
            case _:
                raise MalformedError
        if content + length > end:
            raise MalformedError
        yield _Field(tag >> 3, start, content, content + length, kind == _Kind.DELIMITED)
        start = content + length


def _varint(data: mmap.mmap, start: int, end: int) -> tuple[int, int]:
    """Return the integer at *start*, and where it ends."""
    value = 0
    for index in range(min(_LONGEST_VARINT, end - start)):
        byte = data[start + index]
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value, start + index + 1
    raise MalformedError


def _delimited(number: int, content: bytes) -> bytes:
    """Return *content* as field *number*."""
    return _encoded(number << 3 | _Kind.DELIMITED) + _encoded(len(content)) + content


def _encoded(value: int) -> bytes:
    groups = bytearray()
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
