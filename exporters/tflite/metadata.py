"""Metadata that mobile libraries read: what the inputs hold, how to normalise them, and labels.

The format is TensorFlow Lite Metadata, schema version 1: a flatbuffer of its own in a buffer of the
model, and files that it names in a ZIP archive behind the model.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import flatbuffers

from compressor.ir.interface import Interface, Layout, TensorSpec
from compressor.ir.usage import Usage

NAME = "TFLITE_METADATA"
LABELS_FILE = "labels.txt"
_IDENTIFIER = b"M001"
_PARSER = "1.0.0"
_EARLIEST = (1980, 1, 1, 0, 0, 0)

# Places of fields in the tables of the schema, and members of its unions and enumerations.
_MODEL = {"name": 0, "description": 1, "subgraphs": 3, "parser": 7}
_SUBGRAPH = {"inputs": 2, "outputs": 3}
_TENSOR = {"name": 0, "dimensions": 2, "content": 3, "units": 4, "files": 6}
_CONTENT = {"kind": 0, "properties": 1}
_UNIT = {"kind": 0, "options": 1}
_NORMALIZATION = {"mean": 0, "std": 1}
_FILE = {"name": 0, "type": 2}
_FEATURES, _IMAGE, _NORMALIZE, _AXIS_LABELS = 1, 2, 1, 2
_COLORS = {"RGB": 1, "L": 2}
_AXES = {Layout.NHWC: ("batch", "height", "width", "channels"), Layout.NONE: ()}
_AXES[Layout.NCHW] = ("batch", "channels", "height", "width")


def metadata(interface: Interface, usage: Usage) -> bytes:
    """Return the metadata of a model with *interface*, whose tensors are in this order."""
    builder = flatbuffers.Builder(1024)
    labelled = _labelled(interface, usage)
    inputs = [_tensor(builder, spec, usage, fed=True) for spec in interface.inputs]
    outputs = [
        _tensor(builder, spec, usage, fed=False, labelled=spec is labelled)
        for spec in interface.outputs
    ]
    lists = {"inputs": _vector(builder, inputs), "outputs": _vector(builder, outputs)}
    subgraph = _table(builder, _SUBGRAPH, lists)
    fields = {
        "name": builder.CreateString("model"),
        "description": builder.CreateString("compiled by edgec"),
        "subgraphs": _vector(builder, [subgraph]),
        "parser": builder.CreateString(_PARSER),
    }
    builder.Finish(_table(builder, _MODEL, fields), _IDENTIFIER)
    return bytes(builder.Output())


def with_files(content: bytes, interface: Interface, usage: Usage) -> bytes:
    """Return the model's *content* with the files that its metadata names behind it."""
    if _labelled(interface, usage) is None:
        return content
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as archive:
        entry = zipfile.ZipInfo(LABELS_FILE, _EARLIEST)
        archive.writestr(entry, "".join(f"{label}\n" for label in usage.labels))
    return stream.getvalue()


def _labelled(interface: Interface, usage: Usage) -> TensorSpec | None:
    """Return the output whose last axis the labels name, if there is one."""
    first = interface.outputs[0]
    fits = bool(first.shape) and first.shape[-1] == len(usage.labels)
    return first if fits and usage.labels else None


def _tensor(
    builder: flatbuffers.Builder,
    spec: TensorSpec,
    usage: Usage,
    *,
    fed: bool,
    labelled: bool = False,
) -> int:
    is_image = spec.layout is not Layout.NONE
    fields = {"name": builder.CreateString(spec.name), "content": _content(builder, spec, usage)}
    if axes := _AXES[spec.layout]:
        fields["dimensions"] = _vector(builder, [builder.CreateString(axis) for axis in axes])
    if fed and spec.is_real and (is_image or usage.normalizes):
        fields["units"] = _vector(builder, [_normalization(builder, usage)])
    if labelled:
        name = builder.CreateString(LABELS_FILE)
        file = _table(builder, _FILE, {"name": name}, {"type": _AXIS_LABELS})
        fields["files"] = _vector(builder, [file])
    return _table(builder, _TENSOR, fields)


def _content(builder: flatbuffers.Builder, spec: TensorSpec, usage: Usage) -> int:
    """Say whether a tensor is an image, and in which colours."""
    is_image = spec.layout is not Layout.NONE
    color = _COLORS.get(usage.color, 0) if is_image else 0
    properties = _table(builder, {"color": 0}, {}, {"color": color})
    kind = _IMAGE if is_image else _FEATURES
    return _table(builder, _CONTENT, {"properties": properties}, {"kind": kind})


def _normalization(builder: flatbuffers.Builder, usage: Usage) -> int:
    lists = {"mean": _floats(builder, usage.mean), "std": _floats(builder, usage.std)}
    options = _table(builder, _NORMALIZATION, lists)
    return _table(builder, _UNIT, {"options": options}, {"kind": _NORMALIZE})


def _table(
    builder: flatbuffers.Builder,
    places: dict[str, int],
    offsets: dict[str, int],
    bytes_: dict[str, int] | None = None,
) -> int:
    """Write a table whose fields are other objects (*offsets*) and small numbers (*bytes_*)."""
    builder.StartObject(max(places.values()) + 1)
    for name, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(places[name], offset, 0)
    for name, number in (bytes_ or {}).items():
        builder.PrependUint8Slot(places[name], number, 0)
    return int(builder.EndObject())


def _vector(builder: flatbuffers.Builder, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: flatbuffers.Builder, numbers: Sequence[float]) -> int:
    builder.StartVector(4, len(numbers), 4)
    for number in reversed(numbers):
        builder.PrependFloat32(number)
    return int(builder.EndVector())
