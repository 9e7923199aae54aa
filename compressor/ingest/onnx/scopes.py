"""Names: every value is made once, before it is read; subgraphs see what is around them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import onnx

from compressor.ingest.onnx.reading import unreadable
from compressor.ingest.onnx.walk import subgraphs_of


def check_scopes(proto: onnx.ModelProto, path: Path) -> None:
    """Raise ``MODEL_UNREADABLE`` unless the graphs of *proto* are in topological order."""
    _check_graph(proto.graph, set(), path)
    for function in proto.functions:
        outputs = list(function.output)
        known = _distinct(list(function.input), set(), f"function '{function.name}'", path)
        _check_nodes(function.node, known, known, path)
        _check_made(outputs, known, path)


def _check_graph(graph: onnx.GraphProto, outer: set[str], path: Path) -> None:
    inputs = [value.name for value in graph.input]
    constants = [t.name for t in graph.initializer]
    constants += [s.values.name for s in graph.sparse_initializer]
    own = _distinct(inputs, set(), "input", path)
    _distinct(constants, set(), "initializer", path)
    own |= set(constants)
    if "" in own:
        raise unreadable(path, "an input or initializer has no name")
    known = outer | own
    _check_nodes(graph.node, known, own, path)
    outputs = [value.name for value in graph.output]
    _distinct(outputs, set(), "output", path)
    _check_made(outputs, own, path)  # runtimes refuse outputs that are values from around


def _check_nodes(
    nodes: Iterable[onnx.NodeProto], known: set[str], own: set[str], path: Path
) -> None:
    """Check *nodes* in order; *known* grows by what they make, as does *own*, of this scope."""
    for node in nodes:
        for name in node.input:
            if name and name not in known:
                raise unreadable(path, f"'{name}' is read before it exists", where=_place(node))
        for graph in subgraphs_of(node):
            _check_graph(graph, known, path)
        for name in node.output:
            if name and name in own:
                raise unreadable(path, f"'{name}' is made twice", where=_place(node))
            own.add(name)
            known.add(name)


def _distinct(names: list[str], taken: set[str], kind: str, path: Path) -> set[str]:
    for name in names:
        if name in taken:
            raise unreadable(path, f"{kind} '{name}' is listed twice")
        taken.add(name)
    return taken


def _check_made(outputs: list[str], known: set[str], path: Path) -> None:
    for name in outputs:
        if not name or name not in known:
            raise unreadable(path, f"nothing makes the output '{name}'")


def _place(node: onnx.NodeProto) -> str:
    return f"node '{node.name}' ({node.op_type})"
