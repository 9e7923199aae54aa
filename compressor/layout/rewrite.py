"""Carrying out a layout: shapes, axes, constants, and the few Transposes that remain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import onnx_ir as ir

from compressor.ir.annotations import Precision, quant_of, set_precision, set_quant
from compressor.layout.access import first_input, shape_of
from compressor.layout.assign import Layout, assign
from compressor.layout.movement import flatten_consumers, keeps_order, stored_perm
from compressor.layout.orders import (
    Label,
    Shape,
    apply,
    compose,
    identity,
    inverse,
    positions,
)
from compressor.layout.orientation import is_tracked, tracked
from compressor.layout.rules import Editor, Role, Rules

_Edit = Callable[[], None]


def lay_out(graph: ir.Graph, interface: Mapping[ir.Value, Label], rules: Rules) -> None:
    """Give every value of *graph* its stored order, with inputs and outputs as in *interface*.

    Edits are planned on the source's shapes, then made on the stored ones.
    """
    layout = assign(graph, interface, rules)
    nodes = list(graph)
    edits = [edit for node in nodes if (edit := _planned(node, layout, rules)) is not None]
    for value, label in layout.made.items():
        value.shape = ir.Shape(apply(layout.order(value, label), shape_of(value)))
    supply = _Supply(layout, rules)
    for node in nodes:
        supply.adapt_inputs(node)
    for edit in edits:
        edit()
    for index, value in enumerate(graph.outputs):
        _deliver(graph, index, value, layout, rules)


def _planned(node: ir.Node, layout: Layout, rules: Rules) -> _Edit | None:
    """Return the edit that adapts *node* itself to the orders of its operands."""
    role, operands = rules.role(node), tracked(node)
    if role is Role.SOURCE or not operands:
        return None
    if role is Role.MOVEMENT:
        return _planned_movement(node, layout, rules)
    order = layout.order(operands[0], layout.read[node])
    if order == identity(len(order)):
        return None
    return lambda: rules.reorder(node, order)


def _planned_movement(node: ir.Node, layout: Layout, rules: Rules) -> _Edit | None:
    source, out = first_input(node), node.outputs[0]
    before = layout.order(source, layout.read[node])
    after = layout.order(out, layout.made[out])
    if node.op_type == "Transpose":
        perm = ir.AttrInt64s("perm", stored_perm(node, before, after))
        return lambda: node.attributes.add(perm)
    if keeps_order(node, before, after):
        return None if after == identity(len(after)) else lambda: rules.retarget(node, after)
    products = flatten_consumers(node, rules)
    if not products:
        shape = shape_of(out)
        return lambda: _reshape_in_source_order(rules.edit(node), node, before, shape, after)
    rows = tuple(positions((1, *shape_of(source)[1:]), before).tolist())
    return lambda: _permute_rows(products, rows, rules)


def _permute_rows(products: list[ir.Node], rows: Shape, rules: Rules) -> None:
    for product in products:
        rules.permute_rows(product, rows)


def _reshape_in_source_order(
    editor: Editor, node: ir.Node, before: Shape, shape: Shape, after: Shape
) -> None:
    """Surround the Reshape *node*, of source *shape*, by Transposes from and to its orders."""
    straight = editor.transpose(first_input(node), inverse(before))
    editor.replace(editor.transpose(editor.reshape(straight, shape), after))


class _Supply:
    """Hands each reader its inputs in the order it wants; a change of order is made once."""

    def __init__(self, layout: Layout, rules: Rules) -> None:
        self._layout = layout
        self._rules = rules
        self._moved: dict[tuple[ir.Value, Label], ir.Value] = {}

    def adapt_inputs(self, node: ir.Node) -> None:
        """Let *node* read its inputs in the order that the layout says."""
        for index, value in enumerate(node.inputs):
            if value is None or not is_tracked(value):
                continue
            wanted = self._layout.wanted(node, value)
            if wanted is not self._layout.made[value]:
                node.replace_input_with(index, self._stored_as(value, wanted, node))

    def _stored_as(self, value: ir.Value, label: Label, reader: ir.Node) -> ir.Value:
        key = (value, label)
        if key not in self._moved:
            perm = _change(self._layout, value, label)
            self._moved[key] = self._rules.edit(reader).transpose(value, perm)
        return self._moved[key]


def _change(layout: Layout, value: ir.Value, label: Label) -> Shape:
    """Return the permutation of stored axes that brings *value* from its order to *label*."""
    return compose(inverse(layout.order(value, layout.made[value])), layout.order(value, label))


def _deliver(graph: ir.Graph, index: int, value: ir.Value, layout: Layout, rules: Rules) -> None:
    """Let output *index* leave in the order promised for it, under its own name."""
    wanted = layout.delivered.get(value)
    if wanted is None or wanted is layout.made[value]:
        return
    perm = _change(layout, value, wanted)
    shape = apply(perm, shape_of(value))
    result = ir.Value(name=value.name, shape=ir.Shape(shape), type=value.type)
    set_quant(result, quant_of(value))
    node = ir.node(
        "Transpose", [value], {"perm": list(perm)}, domain=rules.domain, outputs=[result]
    )
    if quant_of(value) is not None:
        set_precision(node, Precision.INTEGER)
    value.name = f"{value.name}/stored"
    graph.append(node)
    graph.outputs[index] = result
