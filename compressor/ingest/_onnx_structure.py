"""The graph of an ONNX file: of known operators, bounded, and well formed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import onnx

from compressor.ingest._onnx_refusal import too_large, unreadable, unsupported

MAX_NODES = 200_000
MAX_DEPTH = 100
STANDARD_DOMAINS = frozenset({"", "ai.onnx"})

_Function = tuple[str, str]


def check_structure(proto: onnx.ModelProto, path: Path) -> None:
    """Check operators, size and form of *proto*, which was read from *path*.

    Raises:
        EdgecError: ``MODEL_UNSUPPORTED``, ``MODEL_TOO_LARGE`` or ``MODEL_UNREADABLE``.
    """
    _check_types(proto, path)
    _check_operators(proto, path)
    nodes = _expanded_nodes(proto, path)
    if nodes > MAX_NODES:
        raise too_large(path, f"the graph has {nodes:,} nodes", f"{MAX_NODES:,}")
    made = {name for node in proto.graph.node for name in node.output}
    made.update(value.name for value in (*proto.graph.input, *proto.graph.initializer))
    for output in proto.graph.output:
        if output.name not in made:
            raise unreadable(path, f"no node computes the output '{output.name}'")
    _check_form(proto, path)


def _check_types(proto: onnx.ModelProto, path: Path) -> None:
    """Only tensors of numbers go in and out."""
    if proto.graph.sparse_initializer:
        raise unsupported(path, "sparse constants cannot be compiled yet")
    for value in (*proto.graph.input, *proto.graph.output):
        kind = value.type.WhichOneof("value")
        if kind not in (None, "tensor_type"):
            raise unsupported(path, f"'{value.name}' is a {str(kind).removesuffix('_type')}")
        element = value.type.tensor_type.elem_type
        if element == onnx.TensorProto.STRING:
            raise unsupported(path, f"'{value.name}' is text")
        if element not in onnx.TensorProto.DataType.values():
            raise unreadable(path, f"'{value.name}' has the unknown type {element}")


def _check_operators(proto: onnx.ModelProto, path: Path) -> None:
    local = {(function.domain, function.name) for function in proto.functions}
    for node, opset in _all_nodes(proto):
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            reason = f"control flow ({node.op_type}) cannot be compiled yet"
        elif (node.domain, node.op_type) in local:
            continue
        elif node.domain not in STANDARD_DOMAINS:
            reason = f"operator {node.domain}::{node.op_type} is not part of the ONNX standard"
        elif not onnx.defs.has(node.op_type, opset, ""):
            reason = f"opset {opset} has no operator {node.op_type}"
        else:
            continue
        raise unsupported(path, reason, node=node.name)


def _all_nodes(proto: onnx.ModelProto) -> Iterator[tuple[onnx.NodeProto, int]]:
    """Yield every node of the graph and of the functions, with the opset that it is written in."""
    for body in (proto.graph, *proto.functions):
        imports = proto.opset_import if body is proto.graph else body.opset_import
        opset = next((entry.version for entry in imports if entry.domain in STANDARD_DOMAINS), 0)
        for node in body.node:
            yield node, opset


def _expanded_nodes(proto: onnx.ModelProto, path: Path) -> int:
    """Return the number of nodes once every call of a function is replaced by its body."""
    functions = {(function.domain, function.name): function for function in proto.functions}
    sizes: dict[_Function, int] = {}
    entered: list[_Function] = []

    def size(body: onnx.GraphProto | onnx.FunctionProto) -> int:
        calls = Counter((node.domain, node.op_type) for node in body.node)
        return sum(count * cost(key) for key, count in calls.items())

    def cost(key: _Function) -> int:
        if key not in functions:
            return 1
        if key in entered:
            raise unreadable(path, f"the function '{key[1]}' calls itself")
        if len(entered) == MAX_DEPTH:
            raise too_large(path, "functions call each other too deeply", f"{MAX_DEPTH} levels")
        if key not in sizes:
            entered.append(key)
            sizes[key] = size(functions[key])
            entered.pop()
        return sizes[key]

    return size(proto.graph)


def _check_form(proto: onnx.ModelProto, path: Path) -> None:
    """Let ONNX check the graph's form, and that the shapes that it states agree."""
    skeleton = _skeleton(proto)
    complete = onnx.ModelProto()
    complete.CopyFrom(skeleton)
    for value in (*complete.graph.input, *complete.graph.output):
        tensor = value.type.tensor_type
        tensor.elem_type = tensor.elem_type or onnx.TensorProto.FLOAT
        tensor.shape.SetInParent()  # the checker wants one; an importer can be told it
    try:
        onnx.checker.check_model(complete)
        onnx.shape_inference.infer_shapes(skeleton, check_type=True, strict_mode=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise unreadable(path, _first_line(error)) from error


def _skeleton(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return *proto* without the data and the name: constants are inputs of their shape."""
    skeleton = onnx.ModelProto(
        ir_version=proto.ir_version, opset_import=proto.opset_import, functions=proto.functions
    )
    graph, constants = skeleton.graph, {tensor.name for tensor in proto.graph.initializer}
    graph.name = "main"
    graph.input.extend(value for value in proto.graph.input if value.name not in constants)
    graph.input.extend(_declared(t.name, t) for t in proto.graph.initializer)
    for node in proto.graph.node:
        data = next((a.t for a in node.attribute if a.HasField("t")), None)
        if data is not None and data.data_location == onnx.TensorProto.EXTERNAL and node.output:
            graph.input.append(_declared(node.output[0], data))
        else:
            graph.node.append(node)
    graph.output.extend(proto.graph.output)
    return skeleton


def _declared(name: str, tensor: onnx.TensorProto) -> onnx.ValueInfoProto:
    return onnx.helper.make_tensor_value_info(name, tensor.data_type, tensor.dims)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].removesuffix(":")[:300] if lines else type(error).__name__
