"""What an artifact's file says about itself: its digest, operators and opset."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
from ai_edge_litert import schema_py_generated as schema

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Contents:
    """One artifact.

    Attributes:
        sha256: digest of its files, one after the other.
        operators: how often each operator occurs, by the format's own name; empty for formats whose
            operators cannot be listed.
        opset: version of the standard ONNX operators; None for other formats.
    """

    sha256: str
    operators: Mapping[str, int]
    opset: int | None


def digest_of(*files: Path) -> str:
    """Return the SHA-256 of *files*, one after the other, as hexadecimal digits."""
    state = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                state.update(chunk)
    return state.hexdigest()


def contents_of(path: Path, *companions: Path) -> Contents:
    """Return the contents of the artifact at *path*, whose weights may lie in *companions*."""
    operators: Iterator[str] = iter(())
    opset = None
    if path.suffix == ".onnx":
        model = onnx.load_model(path, load_external_data=False)
        operators = _onnx_operators(model.graph)
        opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), None)
    elif path.suffix == ".tflite":
        operators = _tflite_operators(path.read_bytes())
    counts = sorted(Counter(operators).items())
    return Contents(sha256=digest_of(path, *companions), operators=dict(counts), opset=opset)


def _onnx_operators(graph: onnx.GraphProto) -> Iterator[str]:
    """Yield the operator of every node, those of branches and bodies too."""
    for node in graph.node:
        yield f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _onnx_operators(inner)


def _tflite_operators(content: bytes) -> Iterator[str]:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    codes = [_code_name(code, names) for code in model.operatorCodes or ()]
    for subgraph in model.subgraphs or ():
        for operator in subgraph.operators or ():
            yield codes[operator.opcodeIndex]


def _code_name(code: schema.OperatorCodeT, names: Mapping[int, str]) -> str:
    """Return the name of an operator code; codes below 127 may stand in the old field only."""
    if code.customCode:
        return f"CUSTOM:{code.customCode.decode(errors='replace')}"
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return names.get(number, str(number))
