"""The few graph edits that every pass is made of; each keeps names, outputs and origins right."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.annotations import (
    Precision,
    precision_of,
    quant_of,
    reason_of,
    set_precision,
    set_quant,
    stamp_origin,
)

Array = npt.NDArray[Any]


def is_constant(value: ir.Value | None) -> bool:
    """Whether *value* is neither computed nor fed; unlike ``constant_of``, reads no large array."""
    return value is not None and value.const_value is not None and not value.is_graph_input()


def shape_of_constant(value: ir.Value | None) -> tuple[int, ...] | None:
    """Return the shape of a constant *value*, or None when it is computed or fed."""
    if value is None or value.const_value is None or not is_constant(value):
        return None
    return tuple(value.const_value.shape.numpy())


def constant_of(value: ir.Value | None) -> Array | None:
    """Return the array of a constant *value*, or None when it is computed or fed."""
    if value is None or value.const_value is None or not is_constant(value):
        return None
    return value.const_value.numpy()


def attribute_ints(node: ir.Node, name: str, default: Sequence[int]) -> list[int]:
    """Return the integer-list attribute *name* of *node*, or *default*."""
    found = node.attributes.get_ints(name)
    return list(default if found is None else found)


def subgraphs_of(node: ir.Node) -> list[ir.Graph]:
    """Return the bodies and branches of a control flow *node*, in the order of their names."""
    graphs = []
    for _, attribute in sorted(node.attributes.items()):
        if attribute.type == ir.AttributeType.GRAPH:
            graphs.append(attribute.as_graph())
    return graphs


def free_name(graph: ir.Graph, wanted: str) -> str:
    """Return *wanted*, with a numeric suffix when a value of the graph already has that name."""
    taken = {value.name for value in graph.inputs} | set(graph.initializers)
    taken.update(out.name for node in graph.all_nodes() for out in node.outputs)
    return numbered(wanted, taken)


def numbered(wanted: str, taken: Container[str | None]) -> str:
    """Return *wanted*, with a numeric suffix when it is among *taken*."""
    name, count = wanted, 1
    while name in taken:
        name, count = f"{wanted}_{count}", count + 1
    return name


def add_constant(graph: ir.Graph, name: str, array: npt.ArrayLike) -> ir.Value:
    """Register *array* as an initializer of *graph* under a free name like *name*."""
    return add_tensor(graph, name, ir.tensor(np.asarray(array)))


def add_tensor(graph: ir.Graph, name: str, tensor: ir.TensorProtocol) -> ir.Value:
    """Register *tensor*, which may be lazy, as an initializer under a free name like *name*."""
    value = ir.Value(name=free_name(graph, name))
    set_tensor(value, tensor)
    graph.register_initializer(value)
    return value


def set_constant(value: ir.Value, array: npt.ArrayLike) -> None:
    """Replace the contents of the initializer *value*; its name stays."""
    set_tensor(value, ir.tensor(np.asarray(array), name=value.name))


def set_tensor(value: ir.Value, tensor: ir.TensorProtocol) -> None:
    """Replace the contents of the constant *value* by *tensor*, which may be lazy."""
    value.const_value = tensor
    value.shape = ir.Shape(tensor.shape.numpy())
    value.type = ir.TensorType(tensor.dtype)


def can_bypass(node: ir.Node) -> bool:
    """Whether *node*'s first output may be replaced by its first input without losing a name."""
    source, result = node.inputs[0], node.outputs[0]
    if source is None:
        return False
    return not result.is_graph_output() or not (
        source.is_graph_input() or source.is_graph_output() or source.is_initializer()
    )


def bypass(node: ir.Node) -> None:
    """Remove *node*, an identity on its first input; a graph output keeps its name."""
    source, result = node.inputs[0], node.outputs[0]
    if source is None:
        raise ValueError("an absent input cannot replace an output")
    replace_value(result, source)
    remove(node)


def replace_value(old: ir.Value, new: ir.Value) -> None:
    """Let every use of *old* read *new*; for a graph output, *new* takes its name and shape."""
    if old.is_graph_output():
        name, graph = old.name, old.graph
        if graph is None:
            raise ValueError("a graph output without a graph")
        old.name = f"{name}_replaced"
        new.name = name
        new.shape = _filled(new.shape, old.shape)
        for index, output in enumerate(graph.outputs):
            if output is old:
                graph.outputs[index] = new
    ir.convenience.replace_all_uses_with(old, new)


def _filled(shape: ir.Shape | None, declared: ir.Shape | None) -> ir.Shape | None:
    """Return *shape* with the dimensions that it leaves open taken from *declared*."""
    if shape is None or declared is None or len(shape) != len(declared):
        return declared if shape is None else shape
    return ir.Shape(a if isinstance(a, int) else b for a, b in zip(shape, declared, strict=True))


def remove(node: ir.Node) -> None:
    """Take *node*, which has no users left, out of its graph."""
    if node.graph is None:
        raise ValueError("the node is in no graph")
    node.graph.remove(node, safe=True)


def replace_node(node: ir.Node, replacements: Sequence[ir.Node]) -> None:
    """Put *replacements* where *node* stands; the last one's outputs take over its outputs."""
    graph = node.graph
    if graph is None:
        raise ValueError("the node is in no graph")
    for new in replacements:
        stamp_origin(new, node)
        if precision_of(new) is Precision.FLOAT:
            set_precision(new, precision_of(node), reason_of(node))
    graph.insert_before(node, replacements)
    for old, new_value in zip(node.outputs, replacements[-1].outputs, strict=True):
        if new_value.name is None or not old.is_graph_output():
            name = old.name
            old.name = f"{name}_replaced"
            new_value.name = name
        new_value.shape = new_value.shape or old.shape
        new_value.type = new_value.type or old.type
        set_quant(new_value, quant_of(new_value) or quant_of(old))
        replace_value(old, new_value)
    remove(node)


def sole_consumer(value: ir.Value) -> ir.Node | None:
    """Return the only node that reads *value*, or None when several do or it is an output.

    A node of a subgraph does not count: it may run never, or many times.
    """
    if value.is_graph_output() or len(value.uses()) != 1:
        return None
    node = next(iter(value.uses())).node
    return node if node.graph is value.graph else None
