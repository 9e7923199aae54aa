"""A structural check of a TFLite flatbuffer, so that reading it cannot leave the file.

The generated accessors trust every offset. This walks the tables that the importer reads, along
the rules of the FlatBuffers binary format ("FlatBuffers internals"; the C++ ``Verifier`` does the
same): vtables, fields, strings and vectors lie inside the file. Each table is visited once, so the
work is bounded by the size of the file even when many offsets point to one table.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

IDENTIFIER = b"TFL3"


class Malformed(Exception):  # noqa: N818 (it states a fact about a file, and becomes an EdgecError)
    """The file breaks the format; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a table.

    Attributes:
        size: bytes of the scalar itself, or of each element of a vector.
        vector: whether it is an offset to a vector.
        table: the kind of the table that it points to, or that the elements of the vector are.
    """

    size: int = 4
    vector: bool = False
    table: str = ""


def _scalar(size: int) -> Field:
    return Field(size=size)


def _vector(size: int) -> Field:
    return Field(size=size, vector=True)


_STRING = _vector(1)
_OPAQUE = Field(table="opaque")


def _tables(kind: str) -> Field:
    return Field(vector=True, table=kind)


# Fields by slot, as in LiteRT's schema.fbs. "opaque" tables are unions, whose own fields are read
# by accessors that check them (numbers) or that numpy checks (vectors of numbers).
_KINDS: Mapping[str, Mapping[int, Field]] = {
    "opaque": {},
    "model": {
        0: _scalar(4),
        1: _tables("operator_code"),
        2: _tables("subgraph"),
        3: _STRING,
        4: _tables("buffer"),
        6: _tables("metadata"),
        7: _tables("signature"),
    },
    "operator_code": {0: _scalar(1), 1: _STRING, 2: _scalar(4), 3: _scalar(4)},
    "subgraph": {
        0: _tables("tensor"),
        1: _vector(4),
        2: _vector(4),
        3: _tables("operator"),
        4: _STRING,
    },
    "tensor": {
        0: _vector(4),
        1: _scalar(1),
        2: _scalar(4),
        3: _STRING,
        4: Field(table="quantization"),
        5: _scalar(1),
        6: _OPAQUE,
        7: _vector(4),
        8: _scalar(1),
        10: _scalar(4),
    },
    "quantization": {2: _vector(4), 3: _vector(8), 4: _scalar(1), 5: _OPAQUE, 6: _scalar(4)},
    "operator": {
        0: _scalar(4),
        1: _vector(4),
        2: _vector(4),
        3: _scalar(1),
        4: _OPAQUE,
        5: _vector(1),
    },
    "buffer": {0: _vector(1), 1: _scalar(8), 2: _scalar(8)},
    "signature": {0: _tables("tensor_map"), 1: _tables("tensor_map"), 2: _STRING, 4: _scalar(4)},
    "tensor_map": {0: _STRING, 1: _scalar(4)},
    "metadata": {0: _STRING, 1: _scalar(4)},
}


def check_structure(data: bytes) -> None:
    """Check that every table the importer reads lies inside *data*.

    Raises:
        Malformed: naming the kind of table and its position.
    """
    if len(data) < 8 or data[4:8] != IDENTIFIER:
        raise Malformed(f"it does not carry the identifier {IDENTIFIER.decode()}")
    pending = [("model", _u32(data, 0))]
    seen: set[tuple[str, int]] = set()
    while pending:
        kind, position = pending.pop()
        if (kind, position) not in seen:
            seen.add((kind, position))
            pending += _check_table(data, kind, position)


def _check_table(data: bytes, kind: str, position: int) -> list[tuple[str, int]]:
    """Check one table and return the tables that it points to."""
    vtable = position - _number(data, "<i", position)
    length, size = _number(data, "<H", vtable), _number(data, "<H", vtable + 2)
    if length < 4 or length % 2 or vtable + length > len(data) or position + size > len(data):
        raise Malformed(f"the {kind} table at {position} leaves the file")
    found: list[tuple[str, int]] = []
    for slot, field in _KINDS[kind].items():
        entry = 4 + 2 * slot
        offset = _number(data, "<H", vtable + entry) if entry + 2 <= length else 0
        if not offset:
            continue
        inline = 4 if field.vector or field.table else field.size
        if offset < 4 or offset + inline > size:
            raise Malformed(f"field {slot} of the {kind} table at {position} leaves the table")
        if field.vector:
            found += _check_vector(data, field, _follow(data, position + offset))
        elif field.table:
            found.append((field.table, _follow(data, position + offset)))
    return found


def _check_vector(data: bytes, field: Field, start: int) -> list[tuple[str, int]]:
    count = _u32(data, start)
    if start + 4 + count * field.size > len(data):
        raise Malformed(f"a vector of {count:,} elements at {start} leaves the file")
    if not field.table:
        return []
    return [(field.table, _follow(data, start + 4 + 4 * index)) for index in range(count)]


def _follow(data: bytes, position: int) -> int:
    return position + _u32(data, position)


def _u32(data: bytes, position: int) -> int:
    return _number(data, "<I", position)


def _number(data: bytes, form: str, position: int) -> int:
    if not 0 <= position <= len(data) - struct.calcsize(form):
        raise Malformed(f"an offset points to {position:,}, outside the file")
    value: int = struct.unpack_from(form, data, position)[0]
    return value
