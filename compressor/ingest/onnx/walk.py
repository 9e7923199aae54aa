"""Everything in a model: graphs within nodes within graphs, functions, tensors; and how much."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx

from compressor.errors import Code, EdgecError
from compressor.ingest.onnx.reading import unreadable

MAX_DEPTH = 16
_Key = tuple[str, str, str]


def subgraphs_of(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """Yield the graphs among the attributes of *node*."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def nodes_of(body: onnx.GraphProto | onnx.FunctionProto) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of *body* and of the graphs within them."""
    for node in body.node:
        yield node
        for graph in subgraphs_of(node):
            yield from nodes_of(graph)


def graphs_of(proto: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """Yield the main graph, and every graph within a node of it or of a function."""
    yield proto.graph
    for body in (proto.graph, *proto.functions):
        for node in nodes_of(body):
            yield from subgraphs_of(node)


def tensors_of(proto: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor of the model, wherever it hides."""
    for graph in graphs_of(proto):
        yield from graph.initializer
        for sparse in graph.sparse_initializer:
            yield from (sparse.values, sparse.indices)
    for body in (proto.graph, *proto.functions):
        for node in nodes_of(body):
            for attribute in node.attribute:
                yield from _tensors_in(attribute)
    for function in proto.functions:
        for attribute in function.attribute_proto:
            yield from _tensors_in(attribute)


def _tensors_in(attribute: onnx.AttributeProto) -> Iterator[onnx.TensorProto]:
    if attribute.HasField("t"):
        yield attribute.t
    yield from attribute.tensors
    sparse = list(attribute.sparse_tensors)
    if attribute.HasField("sparse_tensor"):
        sparse.append(attribute.sparse_tensor)
    for tensor in sparse:
        yield from (tensor.values, tensor.indices)


def check_size(proto: onnx.ModelProto, path: Path, most: int) -> None:
    """Refuse nesting that is too deep, and more than *most* nodes once functions are inlined.

    Raises:
        EdgecError: ``MODEL_TOO_LARGE``; ``MODEL_UNREADABLE`` for functions that call themselves.
    """
    for body in (proto.graph, *proto.functions):
        if _depth(body) > MAX_DEPTH:
            raise EdgecError(
                Code.MODEL_TOO_LARGE,
                f"graphs are nested more than {MAX_DEPTH} deep",
                where=str(path),
            )
    count = _Inlined(proto, path).count(proto.graph)
    if count > most:
        raise EdgecError(
            Code.MODEL_TOO_LARGE,
            f"the graph has {count:,} nodes",
            where=str(path),
            expected=f"at most {most:,}",
        )


def _depth(body: onnx.GraphProto | onnx.FunctionProto) -> int:
    level = [body]
    for depth in range(MAX_DEPTH + 1):
        level = [g for inner in level for node in inner.node for g in subgraphs_of(node)]
        if not level:
            return depth
    return MAX_DEPTH + 1


class _Inlined:
    """Counts nodes as if every call of a function were replaced by its body."""

    def __init__(self, proto: onnx.ModelProto, path: Path) -> None:
        self._path = path
        self._functions = {(f.domain, f.name, f.overload): f for f in proto.functions}
        self._sizes: dict[_Key, int] = {}
        self._open: set[_Key] = set()

    def count(self, body: onnx.GraphProto | onnx.FunctionProto) -> int:
        return sum(1 + self._called((n.domain, n.op_type, n.overload)) for n in nodes_of(body))

    def _called(self, key: _Key) -> int:
        function = self._functions.get(key)
        if function is None:
            return 0
        if key in self._open or len(self._open) > len(self._functions):
            raise unreadable(self._path, f"function '{key[1]}' calls itself")
        if key not in self._sizes:
            self._open.add(key)
            self._sizes[key] = self.count(function)
            self._open.remove(key)
        return self._sizes[key]
