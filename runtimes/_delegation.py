"""What of a model LiteRT's default delegate runs, read off the interpreter's list of nodes.

The list holds the operators of the file and, behind them, a node for each partition of the
delegate, which makes tensors that operators of the file make as well. What is executed follows from
the outputs backwards: a tensor comes from a partition where there is one that makes it.
"""

from __future__ import annotations

from typing import Any

from runtimes.protocol import Delegation

_PARTITION = "DELEGATE"
_DEFAULT = "XNNPACK"

Node = dict[str, Any]


def delegation_of(interpreter: Any) -> Delegation | None:  # noqa: ANN401 - LiteRT is untyped
    """Return how the main subgraph of *interpreter* is split; None without any delegate."""
    nodes: list[Node] = interpreter._get_ops_details()  # noqa: SLF001 - nothing public tells
    if not any(node["op_name"] == _PARTITION for node in nodes):
        return None
    outputs = [int(detail["index"]) for detail in interpreter.get_output_details()]
    executed = _executed(nodes, outputs)
    return Delegation(
        delegate=_DEFAULT,
        partitions=sum(node["op_name"] == _PARTITION for node in executed),
        outside=tuple(node["op_name"] for node in executed if node["op_name"] != _PARTITION),
    )


def _executed(nodes: list[Node], outputs: list[int]) -> list[Node]:
    """Return the nodes that *outputs* need, in the order of the file."""
    maker = {int(tensor): node for node in nodes for tensor in node["outputs"]}
    needed: dict[int, Node] = {}
    pending = list(outputs)
    while pending:
        node = maker.get(pending.pop())
        if node is not None and node["index"] not in needed:
            needed[node["index"]] = node
            pending += [int(tensor) for tensor in node["inputs"] if tensor >= 0]
    return [node for _, node in sorted(needed.items())]
