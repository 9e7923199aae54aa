"""Tables with as many rows as there are detections, a number that is known only at run time.

Inside the graph such a table is as long as it can be, and operators compute rows that nobody asked
for. That is exact as long as every operator treats rows apart from each other. The number of rows
is therefore carried through those operators, and the rows beyond it are cut off where the graph
ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from exporters.protocol import Refusal
from exporters.tflite.dialect import DIALECT, Unsupported, ints, rank_of, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.legalize import refusal
from exporters.tflite.ops.protocol import Role
from exporters.tflite.ops.recurrence import concatenated
from exporters.tflite.ops.tables import lowerings


@dataclass(frozen=True)
class _Rows:
    """How many rows of a value count, and along which axis they lie."""

    count: ir.Value
    axis: int


def carry_counts(graph: ir.Graph) -> list[Refusal]:
    """Cut the outputs of *graph* to the rows that count; return the nodes that mix rows."""
    found: dict[ir.Value, _Rows] = {}
    refusals: list[Refusal] = []
    tables = [node for node in graph if node.domain == DIALECT and node.op_type == "Counted"]
    for node in graph if tables else ():
        try:
            found |= _made(node, found) if node.domain == DIALECT else {}
        except Unsupported as reason:
            refusals.append(refusal(node, str(reason)))
    for index, value in enumerate(graph.outputs):
        if value in found:
            graph.outputs[index] = _cut(graph, value, found[value])
    for node in tables:
        Editor(node).replace(_first(node))
    return refusals


def _made(node: ir.Node, found: dict[ir.Value, _Rows]) -> dict[ir.Value, _Rows]:
    """Return how many rows the results of *node* have, where that is not fixed."""
    if node.op_type == "Counted":
        count = node.inputs[1]
        return {node.outputs[0]: _Rows(_required(count), node.attributes.get_int("axis", 0))}
    counts = {found[v].count for v in node.inputs if v is not None and v in found}
    if not counts:
        return {}
    if len(counts) > 1:
        raise Unsupported("it joins tables whose lengths are known only at run time")
    axis = _axis_of_result(node, {v: r.axis for v, r in found.items() if v in node.inputs})
    return {value: _Rows(counts.pop(), axis) for value in node.outputs}


def _axis_of_result(node: ir.Node, axes: dict[ir.Value, int]) -> int:
    """Return where the rows of the inputs of *node*, which lie along *axes*, are in its results."""
    rule = _RULES.get(node.op_type)
    if rule is None and lowerings()[node.op_type].role is Role.ANY:
        rule = _elementwise
    axis = None if rule is None else rule(node, axes)
    if axis is None:
        raise Unsupported("it mixes rows of a table whose length is known only at run time")
    return axis


def _required(value: ir.Value | None) -> ir.Value:
    if value is None:
        raise Unsupported("an input is missing")
    return value


def _first(node: ir.Node) -> ir.Value:
    return _required(node.inputs[0])


def _elementwise(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    """All tables in step, and nothing else with rows of its own."""
    rank = rank_of(node.outputs[0])
    places = {axis + rank - rank_of(value) for value, axis in axes.items()}
    if len(places) > 1 or rank == 0:
        return None
    (place,) = places
    for value in node.inputs:
        if value is not None and value not in axes:
            own = (1,) * (rank - rank_of(value)) + shape_of(value)
            if own[place] != 1:
                return None
    return place


def _sliced(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    axis = axes[_first(node)]
    whole = shape_of(node.inputs[0])[axis] == shape_of(node.outputs[0])[axis]
    return axis if whole else None


def _gathered(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    chosen, indices = node.attributes.get_int("axis", 0), _required(node.inputs[1])
    if _first(node) not in axes:
        return chosen + axes[indices]
    axis = axes[_first(node)]
    if indices in axes or axis == chosen:
        return None
    return axis if axis < chosen else axis + rank_of(indices) - 1


def _joined(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    places = set(axes.values())
    in_step = len(places) == 1 and all(value in axes for value in node.inputs)
    (place, *_) = places
    return place if in_step and place != node.attributes.get_int("axis", 0) else None


def _apart_from_axis(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    axis = axes[_first(node)]
    return axis if axis != node.attributes.get_int("axis", 0) else None


def _apart_from_last(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    axis = axes.get(_first(node))
    alone = len(axes) == 1 and axis is not None and axis < rank_of(_first(node)) - 1
    same_rank = rank_of(node.outputs[0]) == rank_of(_first(node))
    return axis if alone and same_rank else None


def _reshaped(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    """The axis stays one where as many elements lie before it as did."""
    axis, before, after = axes[_first(node)], shape_of(_first(node)), shape_of(node.outputs[0])
    ahead = int(np.prod(before[:axis]))
    for place, extent in enumerate(after):
        if extent == before[axis] and int(np.prod(after[:place])) == ahead:
            return place
    return None


def _transposed(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    return ints(node, "perm").index(axes[_first(node)])


def _reduced(node: ir.Node, axes: dict[ir.Value, int]) -> int | None:
    axis, reduced = axes[_first(node)], ints(node, "axes")
    if axis in reduced:
        return None
    if rank_of(node.outputs[0]) == rank_of(_first(node)):
        return axis
    return axis - sum(other < axis for other in reduced)


def _never(_node: ir.Node, _axes: dict[ir.Value, int]) -> int | None:
    return None


_RULES: dict[str, Callable[[ir.Node, dict[ir.Value, int]], int | None]] = {
    "Slice": _sliced,
    "Gather": _gathered,
    "Select": _gathered,
    "Concat": _joined,
    "Split": _apart_from_axis,
    "Reshape": _reshaped,
    "Transpose": _transposed,
    **dict.fromkeys(("Mean", "Sum", "ReduceMax", "ReduceMin", "ReduceProd"), _reduced),
    **dict.fromkeys(("Softmax", "LogSoftmax", "FullyConnected", "TopK"), _apart_from_last),
    **dict.fromkeys(("Pad", "MirrorPad", "Expand", "Tile"), _never),
}


def _cut(graph: ir.Graph, value: ir.Value, rows: _Rows) -> ir.Value:
    """Append what takes the first *rows* of *value*, under its name."""
    extents = shape_of(value)
    result = ir.Value(name=value.name, shape=ir.Shape(extents), type=value.type)
    value.name = f"{value.name}/all"
    node = ir.node("Head", [value, rows.count], {"axis": rows.axis}, outputs=[result])
    node.domain, node.name = DIALECT, result.name
    graph.append(node)
    editor = Editor(node)
    before, after = (np.asarray(part, np.int32) for part in _around(extents, rows.axis))
    parts = [editor.constant(part) for part in (before,) if part.size]
    parts += [rows.count, *(editor.constant(part) for part in (after,) if part.size)]
    node.replace_input_with(1, concatenated(editor, parts, 0))
    return result


def _around(extents: tuple[int, ...], axis: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return extents[:axis], extents[axis + 1 :]
