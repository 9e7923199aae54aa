"""Removing what computes nothing: movements that move nothing, chains of them, dead nodes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from compressor.layout.orders import compose, moves_nothing
from exporters.tflite.dialect import DIALECT, ints, required_input, set_ints, shape_of
from exporters.tflite.editor import Editor

_REDUCTIONS = frozenset({"Mean", "Sum", "ReduceMax", "ReduceMin", "ReduceProd"})


def clean_up(graph: ir.Graph) -> None:
    """Simplify Reshapes and Transposes of *graph* and remove nodes that nothing reads."""
    remove_dead(graph)
    for node in graph:
        if node.domain == DIALECT and node.op_type in _RULES:
            _RULES[node.op_type](node)
    remove_dead(graph)


def remove_dead(graph: ir.Graph) -> None:
    """Remove the nodes of *graph* whose results are neither read nor returned."""
    for node in reversed(graph):
        if not any(value.uses() or value.is_graph_output() for value in node.outputs):
            graph.remove(node, safe=True)


def _simplify(node: ir.Node) -> None:
    """Merge *node* with the movement before it, then drop it if nothing is left to do."""
    source, out = required_input(node, 0), node.outputs[0]
    producer = source.producer()
    if producer is not None and producer.op_type == node.op_type and producer.domain == DIALECT:
        if node.op_type == "Transpose":
            set_ints(node, "perm", list(compose(_perm(producer), _perm(node))))
        node.replace_input_with(0, required_input(producer, 0))
        source = required_input(node, 0)
    if node.op_type == "Transpose" and moves_nothing(_perm(node), shape_of(source)):
        node.op_type = "Reshape"
        node.attributes.clear()
        _simplify(node)
    elif node.op_type == "Reshape":
        if _only_drops_reduced_axes(node):
            source.shape = ir.Shape(shape_of(out))
        if shape_of(source) == shape_of(out):
            Editor(node).replace(source)


def _only_drops_reduced_axes(node: ir.Node) -> bool:
    """Whether the Reshape *node* alone reads a reduction and drops the axes that it has reduced."""
    source = required_input(node, 0)
    reduction = source.producer()
    if reduction is None or reduction.op_type not in _REDUCTIONS or len(source.uses()) != 1:
        return False
    axes = ints(reduction, "axes")
    kept = tuple(n for axis, n in enumerate(shape_of(reduction.inputs[0])) if axis not in axes)
    return not source.is_graph_output() and shape_of(node.outputs[0]) == kept


def _read_unflattened(product: ir.Node) -> None:
    """Let a matrix product read rows `[..., K]` directly where they are flattened only for it.

    The result then has the leading axes of the input; Reshapes behind it take either form.
    """
    flatten, out = required_input(product, 0).producer(), product.outputs[0]
    readers = out.consumers()
    if flatten is None or flatten.op_type != "Reshape" or out.is_graph_output():
        return
    rows = shape_of(flatten.inputs[0])
    same_columns = rows[-1] == shape_of(flatten.outputs[0])[-1]
    if len(rows) > 1 and same_columns and all(node.op_type == "Reshape" for node in readers):
        product.replace_input_with(0, required_input(flatten, 0))
        out.shape = ir.Shape((*rows[:-1], shape_of(out)[-1]))
    else:
        _keep_rows_apart(flatten, product, readers)


def _keep_rows_apart(flatten: ir.Node, product: ir.Node, readers: Sequence[ir.Node]) -> None:
    """Let *flatten* make the leading axes that all *readers* of the *product* want back."""
    wanted = {shape_of(node.outputs[0]) for node in readers}
    source, out = flatten.outputs[0], product.outputs[0]
    if len(wanted) != 1 or len(source.uses()) != 1 or source.is_graph_output():
        return
    (shape,) = wanted
    reshapes = all(node.op_type == "Reshape" for node in readers)
    if reshapes and len(shape) > 2 and shape[-1] == shape_of(out)[-1]:
        source.shape = ir.Shape((*shape[:-1], shape_of(source)[-1]))
        out.shape = ir.Shape(shape)


def _take_part_of_join(node: ir.Node) -> None:
    """Read one operand of a Concat directly where a Slice takes exactly that part again.

    The last state of an unrolled recurrence is picked from the sequence of all states this way.
    """
    start = _flat_start(node)
    join = _behind_reshapes(required_input(node, 0)).producer()
    if start is None or join is None or join.op_type != "Concat":
        return
    axis = join.attributes.get_int("axis", 0)
    if any(extent != 1 for extent in shape_of(join.outputs[0])[:axis]):
        return
    for value in join.inputs:
        size = int(np.prod(shape_of(value)))
        if start == 0 and value is not None and size == int(np.prod(shape_of(node.outputs[0]))):
            editor, shape = Editor(node), shape_of(node.outputs[0])
            same = shape_of(value) == shape
            editor.replace(value if same else editor.reshape(value, shape))
            return
        start -= size


def _flat_start(node: ir.Node) -> int | None:
    """Return where the Slice *node* starts in memory, None when it takes separate pieces."""
    whole, part = shape_of(node.inputs[0]), shape_of(node.outputs[0])
    begin = ints(node, "begin")
    cut = [axis for axis, (n, p) in enumerate(zip(whole, part, strict=True)) if n != p]
    if not cut or any(extent != 1 for extent in part[: cut[-1]]):
        return None
    strides = [int(np.prod(whole[axis + 1 :])) for axis in range(len(whole))]
    return sum(b * stride for b, stride in zip(begin, strides, strict=True))


def _behind_reshapes(value: ir.Value) -> ir.Value:
    producer = value.producer()
    while producer is not None and producer.op_type == "Reshape":
        value = required_input(producer, 0)
        producer = value.producer()
    return value


def _perm(node: ir.Node) -> tuple[int, ...]:
    return tuple(ints(node, "perm"))


_RULES = {
    "Reshape": _simplify,
    "Transpose": _simplify,
    "FullyConnected": _read_unflattened,
    "Slice": _take_part_of_join,
}
