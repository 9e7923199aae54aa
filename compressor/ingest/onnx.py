"""ONNX files: parsed with bounds, external data confined to the model's own folder."""

from __future__ import annotations

from pathlib import Path

import google.protobuf.message
import onnx
import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest.options import IngestOptions
from compressor.passes.convert_opset import OLDEST_OPSET

MAX_PROTO_BYTES = (1 << 31) - 1
MAX_NODES = 200_000
NEWEST_OPSET = onnx.defs.onnx_opset_version()
_STANDARD_DOMAINS = frozenset({"", "ai.onnx"})
_CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})


def accepts(path: Path) -> bool:
    """Whether *path* is named like an ONNX file."""
    return path.suffix == ".onnx"


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Read the ONNX model at *path* into the IR, unchanged.

    Tensors in external files stay memory-mapped.

    Raises:
        EdgecError: ``MODEL_UNREADABLE``, ``MODEL_TOO_LARGE``, ``MODEL_UNSUPPORTED`` or
            ``EXTERNAL_DATA``, each naming what was found.
    """
    proto = _parse(path)
    _check_bounds(proto, path)
    _check_domains(proto, path)
    for tensor in _external_tensors(proto.graph):
        _check_external(tensor, path)
    try:
        model = ir.from_proto(proto)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(path, str(error)) from error
    ir.external_data.set_base_dir(model.graph, path.parent)
    _bind_shapes(model, options, path)
    return model


def _parse(path: Path) -> onnx.ModelProto:
    size = path.stat().st_size
    if size == 0:
        raise _unreadable(path, "the file is empty")
    if size > MAX_PROTO_BYTES:
        raise EdgecError(
            Code.MODEL_TOO_LARGE,
            f"the file has {size:,} bytes; a protobuf file cannot exceed {MAX_PROTO_BYTES:,}",
            where=str(path),
            hint="save it with external data: onnx.save(..., save_as_external_data=True)",
        )
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(path.read_bytes())
    except google.protobuf.message.DecodeError as error:
        raise _unreadable(path, "it is not a complete protobuf message") from error
    if not proto.HasField("graph") or not proto.opset_import or not proto.graph.output:
        raise _unreadable(path, "it holds no ONNX graph with outputs and an opset")
    return proto


def _check_bounds(proto: onnx.ModelProto, path: Path) -> None:
    nodes = len(proto.graph.node) + sum(len(f.node) for f in proto.functions)
    if nodes > MAX_NODES:
        raise EdgecError(
            Code.MODEL_TOO_LARGE,
            f"the graph has {nodes:,} nodes",
            where=str(path),
            expected=f"at most {MAX_NODES:,}",
        )
    opset = next((o.version for o in proto.opset_import if o.domain in _STANDARD_DOMAINS), None)
    if opset is None or not OLDEST_OPSET <= opset <= NEWEST_OPSET:
        raise EdgecError(
            Code.MODEL_UNSUPPORTED,
            f"the model uses opset {opset}",
            where=str(path),
            expected=f"an opset from {OLDEST_OPSET} to {NEWEST_OPSET}",
            hint="export the model again with a current opset",
        )


def _check_domains(proto: onnx.ModelProto, path: Path) -> None:
    local = {(f.domain, f.name) for f in proto.functions}
    for node in proto.graph.node:
        if node.op_type in _CONTROL_FLOW:
            reason = f"control flow ({node.op_type}) cannot be compiled yet"
        elif node.domain in _STANDARD_DOMAINS or (node.domain, node.op_type) in local:
            continue
        else:
            reason = f"operator {node.domain}::{node.op_type} is not part of the ONNX standard"
        raise EdgecError(
            Code.MODEL_UNSUPPORTED,
            reason,
            where=f"{path}, node '{node.name}'",
            expected="operators of the standard ONNX domain",
            hint="export the model without it, or split the model there",
        )


def _external_tensors(graph: onnx.GraphProto) -> list[onnx.TensorProto]:
    tensors = list(graph.initializer)
    tensors += [a.t for node in graph.node for a in node.attribute if a.HasField("t")]
    return [t for t in tensors if t.data_location == onnx.TensorProto.EXTERNAL]


def _check_external(tensor: onnx.TensorProto, path: Path) -> None:
    """Refuse data outside the model's folder, behind links, or shorter than declared."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location = entries.get("location", "")
    target = path.parent / location
    try:
        offset, length = int(entries.get("offset", 0)), int(entries.get("length", 0))
    except ValueError:
        offset, length = -1, -1
    problem = ""
    if not location or Path(location).is_absolute() or ".." in Path(location).parts:
        problem = "leaves the model's folder"
    elif any(part.is_symlink() for part in (target, *target.parents) if part != path.parent) and (
        not target.resolve().is_relative_to(path.parent.resolve()) or target.is_symlink()
    ):
        problem = "is a symbolic link"
    elif not target.is_file():
        problem = "does not exist or is not a file"
    elif offset < 0 or length < 0 or offset + length > target.stat().st_size:
        problem = f"is shorter than the declared {offset + length:,} bytes"
    if problem:
        raise EdgecError(
            Code.EXTERNAL_DATA,
            f"external data '{location}' of tensor '{tensor.name}' {problem}",
            where=str(path),
            expected="an ordinary file inside the model's own folder",
            hint="copy the model together with its data files, or save it as one file",
        )


def _bind_shapes(model: ir.Model, options: IngestOptions, path: Path) -> None:
    """Give the inputs the shapes that the user stated."""
    inputs = {value.name: value for value in model.graph.inputs}
    for name, shape in options.input_shapes.items():
        if name not in inputs:
            raise EdgecError(
                Code.USAGE,
                f"the model has no input '{name}'",
                where=str(path),
                expected=f"one of: {', '.join(str(n) for n in inputs)}",
                hint="write --input-shape NAME=1,3,224,224 with one of these names",
            )
        inputs[name].shape = _merge_shape(inputs[name], shape, path)
    for value in model.graph.inputs:
        if value.shape is None and not value.is_initializer():
            raise EdgecError(
                Code.INPUT_SHAPE_NEEDED,
                f"the file does not state the rank of input '{value.name}'",
                where=str(path),
                hint=f"give it: --input-shape {value.name}=1,3,224,224",
            )


def _merge_shape(value: ir.Value, given: tuple[int, ...], path: Path) -> ir.Shape:
    """Fill what the file leaves open with *given*; an open batch axis stays open."""
    own = value.shape
    if own is None:
        return ir.Shape(["batch", *given[1:]])
    fits = len(own) == len(given) and all(
        not isinstance(have, int) or have == want for have, want in zip(own, given, strict=True)
    )
    if not fits:
        raise EdgecError(
            Code.USAGE,
            f"--input-shape {list(given)} contradicts the file, which states {own}",
            where=f"{path}, input '{value.name}'",
            expected="the same rank, and the lengths that the file states",
        )
    first = own[0] if len(own) else None
    rest = [have if isinstance(have, int) else want for have, want in zip(own, given, strict=True)]
    return ir.Shape(rest if first is None or isinstance(first, int) else [first, *rest[1:]])


def _unreadable(path: Path, why: str) -> EdgecError:
    return EdgecError(
        Code.MODEL_UNREADABLE,
        f"this is not a readable ONNX model: {why}",
        where=str(path),
        expected="an ONNX file as its exporter wrote it",
        hint="copy or export it again; `python -m onnx.checker FILE` tells more",
    )
