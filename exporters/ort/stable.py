"""The same bytes every time: ONNX Runtime writes one table of an .ort file in hash order.

The file is a flatbuffer, written back to front: the model first, which is the same every time,
then a table that resolves kernels by operator, in the order of a hash map that is seeded anew in
each process, then the root. Offsets only point towards the end, so the model's bytes can be kept
as they are while table and root are written again, sorted, in front of them.
"""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers

_IDENTIFIER = b"ORTM"
_LARGEST_ALIGNMENT = 16

# A table of the schema: its generated classes have no annotations.
Table = Any


def stable(content: bytes) -> bytes:
    """Return the .ort file *content* with its table of kernels in order of operator names."""
    # Importing the tools makes the schema's package importable.
    import onnxruntime.tools.ort_format_model  # noqa: F401
    from ort_flatbuffers_py.fbs import InferenceSession as Root

    session = Root.InferenceSession.GetRootAs(content, 0)
    model = session.Model()._tab.Pos  # noqa: SLF001 - it tells its place in no other way
    kept = content[_start_of(content, model) :]
    builder = flatbuffers.Builder(len(content))
    builder.minalign = _LARGEST_ALIGNMENT
    builder.head = len(builder.Bytes) - len(kept)
    builder.Bytes[builder.head :] = kept
    version = builder.CreateString(session.OrtVersion())
    resolver = _resolver(builder, session.KernelTypeStrResolver())
    Root.Start(builder)
    Root.AddOrtVersion(builder, version)
    Root.AddModel(builder, len(content) - model)
    Root.AddKernelTypeStrResolver(builder, resolver)
    builder.Finish(Root.End(builder), _IDENTIFIER)
    return bytes(builder.Output())


def _start_of(content: bytes, table: int) -> int:
    """Return where the *table* starts with what lies before it: its virtual table."""
    (distance,) = struct.unpack_from("<i", content, table)
    return min(table, table - int(distance))


def _resolver(builder: flatbuffers.Builder, table: Table) -> int:
    """Write a ``KernelTypeStrResolver`` with the entries of *table*, sorted."""
    from ort_flatbuffers_py.fbs import KernelTypeStrResolver as Resolver
    from ort_flatbuffers_py.fbs import OpIdKernelTypeStrArgsEntry as Entry

    entries = [table.OpKernelTypeStrArgs(i) for i in range(table.OpKernelTypeStrArgsLength())]
    offsets = []
    for one in sorted(entries, key=lambda e: bytes(e.OpId())):
        arguments = [one.KernelTypeStrArgs(i) for i in range(one.KernelTypeStrArgsLength())]
        ordered = sorted(arguments, key=lambda a: bytes(a.KernelTypeStr()))
        types = _vector(builder, [_types(builder, argument) for argument in ordered])
        name = builder.CreateString(one.OpId())
        Entry.Start(builder)
        Entry.AddOpId(builder, name)
        Entry.AddKernelTypeStrArgs(builder, types)
        offsets.append(Entry.End(builder))
    listing = _vector(builder, offsets)
    Resolver.Start(builder)
    Resolver.AddOpKernelTypeStrArgs(builder, listing)
    return int(Resolver.End(builder))


def _types(builder: flatbuffers.Builder, table: Table) -> int:
    """Write one ``KernelTypeStrArgsEntry``: a type's name and the inputs and outputs of it."""
    from ort_flatbuffers_py.fbs import ArgTypeAndIndex as Argument
    from ort_flatbuffers_py.fbs import KernelTypeStrArgsEntry as Entry

    offsets = []
    for index in range(table.ArgsLength()):
        one = table.Args(index)
        Argument.Start(builder)
        Argument.AddArgType(builder, one.ArgType())
        Argument.AddIndex(builder, one.Index())
        offsets.append(Argument.End(builder))
    arguments = _vector(builder, offsets)
    name = builder.CreateString(table.KernelTypeStr())
    Entry.Start(builder)
    Entry.AddKernelTypeStr(builder, name)
    Entry.AddArgs(builder, arguments)
    return int(Entry.End(builder))


def _vector(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())
