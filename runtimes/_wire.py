"""Messages between a worker and its child: a JSON header, then the raw bytes of its arrays.

Layout: header length (8 bytes, little endian), header, arrays in the order that the header lists
them. Nothing is pickled, so neither side can make the other run code.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from compressor.ir.interface import Interface, TensorSpec
from runtimes.protocol import Array

Header = dict[str, Any]
Message = tuple[Header, dict[str, Array]]

_LENGTH = struct.Struct("<Q")
_ARRAYS = "arrays"


def send(stream: IO[bytes], header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Write one message; contiguous arrays are not copied."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    listing = [[name, a.dtype.str, list(arrays[name].shape)] for name, a in contiguous.items()]
    text = json.dumps({**header, _ARRAYS: listing}).encode()
    stream.write(_LENGTH.pack(len(text)))
    stream.write(text)
    for array in contiguous.values():
        stream.write(_bytes(array))
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read one message; None when the other side has ended, EOFError when it ended inside one."""
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    if len(start) != _LENGTH.size:
        raise EOFError("a message's length is incomplete")
    (size,) = _LENGTH.unpack(start)
    text = stream.read(size)
    if len(text) != size:
        raise EOFError("a message's header is incomplete")
    header: Header = json.loads(text)
    arrays = {
        name: _read_array(stream, np.dtype(dtype), tuple(shape))
        for name, dtype, shape in header.pop(_ARRAYS)
    }
    return header, arrays


def interface_from_json(data: Mapping[str, Any]) -> Interface:
    """Rebuild what ``Interface.to_json`` wrote; runtimes state no layout."""
    return Interface(
        inputs=tuple(map(_spec, data["inputs"])), outputs=tuple(map(_spec, data["outputs"]))
    )


def _spec(data: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(name=data["name"], dtype=data["dtype"], shape=tuple(data["shape"]))


def _read_array(stream: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    array = np.empty(shape, dtype)
    room = _bytes(array)
    if stream.readinto(room) != len(room):  # type: ignore[attr-defined] # typeshed lacks it
        raise EOFError("an array is incomplete")
    return array


def _bytes(array: Array) -> memoryview:
    """Return the memory of a contiguous *array*, without copying it."""
    return array.reshape(-1).view(np.uint8).data
