"""From bytes to a protobuf message that is an ONNX model at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import google.protobuf.message
import onnx

from compressor.errors import Code, EdgecError


def parse(
    path: Path, largest: int, *, read: Callable[[Path], bytes] = Path.read_bytes
) -> onnx.ModelProto:
    """Return the message that *read* finds at *path*, a file of at most *largest* bytes.

    Raises:
        EdgecError: ``MODEL_UNREADABLE`` or ``MODEL_TOO_LARGE``.
    """
    if not path.is_file():
        raise unreadable(path, "it is not a file")
    size = path.stat().st_size
    if size == 0:
        raise unreadable(path, "the file is empty")
    if size > largest:
        raise EdgecError(
            Code.MODEL_TOO_LARGE,
            f"the file has {size:,} bytes; a protobuf file cannot exceed {largest:,}",
            where=str(path),
            hint="save it with external data: onnx.save(..., save_as_external_data=True)",
        )
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(read(path))
    except google.protobuf.message.DecodeError as error:
        raise unreadable(path, "it is not a complete protobuf message") from error
    if not proto.HasField("graph") or not proto.opset_import or not proto.graph.output:
        raise unreadable(path, "it holds no ONNX graph with outputs and an opset")
    if not _is_text(proto):
        raise unreadable(path, "a name in it is not text")
    return proto


def _is_text(message: google.protobuf.message.Message) -> bool:
    """Whether every string in *message* is UTF-8; protobuf hands out others as bytes."""
    for field, value in message.ListFields():
        items = value if field.is_repeated else (value,)
        if field.type == field.TYPE_STRING and any(isinstance(item, bytes) for item in items):
            return False
        if field.type == field.TYPE_MESSAGE and not all(_is_text(item) for item in items):
            return False
    return True


def unreadable(path: Path, why: str, *, where: str = "") -> EdgecError:
    """Return the error of a file that breaks the format's rules, at *where* inside it."""
    return EdgecError(
        Code.MODEL_UNREADABLE,
        f"this is not a readable ONNX model: {why}",
        where=f"{path}, {where}" if where else str(path),
        expected="an ONNX file as its exporter wrote it",
        hint="copy or export it again; `python -m onnx.checker FILE` tells more",
    )
