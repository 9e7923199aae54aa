"""The decision: which order each value is stored in, at the least number of bytes moved.

Each node has a label (one for its input and one for its output when it is a Reshape or Transpose).
A value that is read in another order than it is made costs one Transpose, shared by all such
readers. Spatial operators have the order of their set, operators that know nothing of channels keep
the source's order, elementwise ones follow what is cheapest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx_ir as ir

from compressor.layout.access import first_input, rank_of, shape_of
from compressor.layout.mincut import FORBIDDEN, Labelling
from compressor.layout.movement import movement_costs
from compressor.layout.orders import (
    Label,
    Shape,
    inverse,
    item_size,
    stored_order,
    to_last,
    transpose_cost,
)
from compressor.layout.orientation import is_tracked, orient
from compressor.layout.rules import Role, Rules


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The stored order of every value.

    Attributes:
        source: the source's own order of each value.
        made: the order in which each value of rank 3 or more is produced.
        read: the order in which each node reads its inputs; absent for the source's own.
        delivered: the order in which each graph output leaves.
    """

    source: Mapping[ir.Value, Label]
    made: Mapping[ir.Value, Label]
    read: Mapping[ir.Node, Label]
    delivered: Mapping[ir.Value, Label]

    def wanted(self, node: ir.Node, value: ir.Value) -> Label:
        """Return the order in which *node* reads its input *value*."""
        return self.read.get(node, self.own(value))

    def own(self, value: ir.Value) -> Label:
        """Return the source's order of *value*."""
        return self.source.get(value, Label.FIRST)

    def order(self, value: ir.Value, label: Label) -> Shape:
        """Return the permutation that *label* means for *value*."""
        return stored_order(label, self.own(value), rank_of(value))


def assign(graph: ir.Graph, interface: Mapping[ir.Value, Label], rules: Rules) -> Layout:
    """Return the cheapest layout of *graph*.

    It is exact unless two Transposes contradict each other on where the channels are, which a cut
    cannot express; then it may move more than needed. Graph inputs and outputs keep the source's
    order, or have that of *interface* where given.
    """
    problem = _Problem(orient(graph, rules), interface, rules)
    for value in graph.inputs:
        problem.add_input(value)
    for node in graph:
        problem.add_node(node)
    for value in (*graph.inputs, *(out for node in graph for out in node.outputs)):
        if is_tracked(value):
            problem.add_value(value)
    return problem.solve()


class _Problem:
    """The labelling problem of one graph: variables for the sides of nodes, costs for values."""

    def __init__(
        self,
        source: Mapping[ir.Value, Label],
        interface: Mapping[ir.Value, Label],
        rules: Rules,
    ) -> None:
        self._rules = rules
        self._source = source
        self._interface = interface
        self._labelling = Labelling()
        self._made: dict[ir.Value, int] = {}
        self._read: dict[ir.Node, int] = {}
        self._delivered: dict[ir.Value, Label] = {}
        self._fixed = {Label.FIRST: self._new(last=FORBIDDEN), Label.LAST: self._new(FORBIDDEN)}

    def add_input(self, value: ir.Value) -> None:
        """Fix the order in which a graph input arrives."""
        self._made[value] = self._fixed[self._interface.get(value, self._own(value))]

    def add_node(self, node: ir.Node) -> None:
        """Add the variables of *node* and what ties them."""
        role = self._rules.role(node)
        if role is Role.SOURCE:
            self._made |= {value: self._fixed[self._own(value)] for value in node.outputs}
        elif role is Role.MOVEMENT:
            self._read[node], self._made[node.outputs[0]] = self._new(), self._new()
            self._tie_movement(node)
        else:
            label = self._fixed[self._rules.spatial] if role is Role.SPATIAL else self._new()
            self._read[node] = label
            self._made |= dict.fromkeys(node.outputs, label)

    def add_value(self, value: ir.Value) -> None:
        """Charge one Transpose when any reader wants *value* otherwise than it is made."""
        own = self._fixed[self._own(value)]
        readers = {self._read.get(node, own) for node in value.consumers()}
        if value.is_graph_output():
            self._delivered[value] = self._interface.get(value, self._own(value))
            readers.add(self._fixed[self._delivered[value]])
        maker = self._made[value]
        others = sorted(readers - {maker})
        if others:
            self._labelling.differ(maker, others, self._cost(value))

    def solve(self) -> Layout:
        """Return the layout of least cost."""
        labels = [Label(label) for label in self._labelling.solve()]
        return Layout(
            source=self._source,
            made={value: labels[variable] for value, variable in self._made.items()},
            read={node: labels[variable] for node, variable in self._read.items()},
            delivered=self._delivered,
        )

    def _own(self, value: ir.Value) -> Label:
        return self._source.get(value, Label.FIRST)

    def _new(self, first: int = 0, last: int = 0) -> int:
        variable = self._labelling.variable()
        self._labelling.cost(variable, first=first, last=last)
        return variable

    def _cost(self, value: ir.Value) -> int:
        """Return the cost of one Transpose of *value* between its two orders."""
        shape = shape_of(value)
        order = to_last(len(shape))
        if self._own(value) is Label.LAST:
            order = inverse(order)
        return transpose_cost(order, shape, item_size(value))

    def _tie_movement(self, node: ir.Node) -> None:
        source, out = first_input(node), node.outputs[0]
        costs = movement_costs(node, self._own(source), self._own(out), self._rules)
        self._labelling.pair(self._read[node], self._made[out], costs.made_submodular())
