"""Reading .ort files with the schema alone."""

import onnxruntime.tools.ort_format_model  # makes the schema's package importable
from ort_flatbuffers_py.fbs.InferenceSession import InferenceSession

assert onnxruntime.tools.ort_format_model


def nodes_of(content: bytes) -> list[tuple[str, str, int]]:
    """Return domain, operator and the opset since which it means this, of every node."""
    graph = InferenceSession.GetRootAs(content, 0).Model().Graph()
    nodes = [graph.Nodes(index) for index in range(graph.NodesLength())]
    kinds = [(node.Domain().decode(), node.OpType().decode()) for node in nodes]
    since = [node.SinceVersion() for node in nodes]
    return [(domain or "ai.onnx", op, n) for (domain, op), n in zip(kinds, since, strict=True)]
