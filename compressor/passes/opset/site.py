"""A node in the middle of its rewriting: what a conversion rule may read and change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.rewrite import Array, constant_of

Attribute = int | float | str | Sequence[int] | ir.Attr
Attributes = Mapping[str, Attribute]


class Unconvertible(Exception):  # noqa: N818 - a statement about an operator, not a failure
    """A form of an operator that has no equal at the other opset; the text says why."""


class Site:
    """One *node* being converted, in a graph, a subgraph or a function body.

    Args:
        node: the node; rules change its operator, inputs and attributes in place.
        taken: every value name of the model; names made here are added.
    """

    def __init__(self, node: ir.Node, taken: set[str]) -> None:
        self.node = node
        self._taken = taken

    def take_ints(self, name: str) -> list[int] | None:
        """Remove the integer-list attribute *name* and return it."""
        found = self.node.attributes.pop(name, None)
        return None if found is None else list(found.as_ints())

    def take_int(self, name: str, default: int) -> int:
        """Remove the integer attribute *name* and return it, or *default*."""
        found = self.node.attributes.pop(name, None)
        return default if found is None else found.as_int()

    def take_float(self, name: str, default: float) -> float:
        """Remove the float attribute *name* and return it, or *default*."""
        found = self.node.attributes.pop(name, None)
        return default if found is None else found.as_float()

    def input(self, index: int) -> ir.Value | None:
        """Return the input at *index*, None when it is absent."""
        return self.node.inputs[index] if index < len(self.node.inputs) else None

    def dtype(self) -> np.dtype[np.generic]:
        """Return the type of the first input; refused when it is not known."""
        source = self.input(0)
        if source is None or source.dtype is None:
            raise Unconvertible("the type of its input is not known")
        return source.dtype.numpy()

    def dims(self) -> list[int | None] | None:
        """Return the shape of the first input, None for what is not known."""
        source = self.input(0)
        if source is None or source.shape is None:
            return None
        return [dim if isinstance(dim, int) else None for dim in source.shape]

    def known(self, index: int) -> Array | None:
        """Return the constant at input *index*: an initializer, or made by a Constant node."""
        value = self.input(index)
        found = constant_of(value)
        producer = None if value is None else value.producer()
        if found is None and producer is not None and producer.op_type == "Constant":
            tensor = producer.attributes.get("value")
            found = None if tensor is None else tensor.as_tensor().numpy()
        return found

    def constant(self, array: npt.ArrayLike, role: str) -> ir.Value:
        """Return a new constant, made by a node in front of this one."""
        values = np.asarray(array)
        tensor = ir.tensor(values)
        made = ir.node("Constant", [], {"value": tensor})
        value = self._insert(made, role)
        value.shape, value.type = ir.Shape(values.shape), ir.TensorType(tensor.dtype)
        return value

    def before(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        attributes: Attributes | None = None,
    ) -> ir.Value:
        """Return the result of a new node in front of this one; absent last inputs are left out."""
        return self._insert(_node(op_type, inputs, attributes), op_type.lower())

    def become(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        attributes: Attributes | None = None,
    ) -> None:
        """Make this node another one of the standard domain, with the same outputs."""
        made = _node(op_type, inputs, attributes)
        self.node.domain, self.node.op_type = "", op_type
        self.node.attributes.clear()
        self.node.attributes.update(made.attributes)
        self.set_inputs(*made.inputs)
        made.resize_inputs(0)

    def attributes(self) -> dict[str, ir.Attr]:
        """Return the attributes of the node, by name."""
        return dict(self.node.attributes)

    def behind(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        attributes: Attributes | None = None,
    ) -> None:
        """Let a new node behind this one, whose first input is its result, make that result."""
        node, graph = self.node, self.node.graph
        own = node.outputs[0]
        after = _node(op_type, [own, *inputs], attributes)
        result = after.outputs[0]
        result.name, result.shape, result.type = own.name, own.shape, own.type
        if graph is None:
            raise Unconvertible("the node is in no graph")
        for index, output in enumerate(graph.outputs):
            if output is own:
                graph.outputs[index] = result
        for use in list(own.uses()):
            if use.node is not after:
                use.node.replace_input_with(use.idx, result)
        own.name, own.shape, own.type = self.free(op_type.lower()), None, None
        graph.insert_after(node, after)

    def set_inputs(self, *inputs: ir.Value | None) -> None:
        """Give the node these inputs, without absent ones at the end."""
        kept = list(inputs)
        while kept and kept[-1] is None:
            kept.pop()
        self.node.resize_inputs(len(kept))
        for index, value in enumerate(kept):
            self.node.replace_input_with(index, value)

    def _insert(self, made: ir.Node, role: str) -> ir.Value:
        graph = self.node.graph
        if graph is None:
            raise Unconvertible("the node is in no graph")
        value = made.outputs[0]
        value.name = self.free(role)
        made.name = value.name
        graph.insert_before(self.node, made)
        return value

    def free(self, role: str) -> str:
        """Return a value name that is not taken, for what plays *role* in this node."""
        stem = f"{self.node.outputs[0].name}_{role}"
        name, count = stem, 1
        while name in self._taken:
            name, count = f"{stem}_{count}", count + 1
        self._taken.add(name)
        return name


Rule = Callable[[Site], None]


def names_of(model: ir.Model) -> set[str]:
    """Return the name of every value of *model*."""
    graphs = (model.graph, *model.graph.subgraphs())
    names = {v.name or "" for g in graphs for v in (*g.inputs, *g.initializers.values())}
    return names | {v.name or "" for node in model.graph.all_nodes() for v in node.outputs}


def _node(
    op_type: str, inputs: Sequence[ir.Value | None], attributes: Attributes | None
) -> ir.Node:
    kept = list(inputs)
    while kept and kept[-1] is None:
        kept.pop()
    return ir.node(op_type, kept, dict(attributes or {}))
