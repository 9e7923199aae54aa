"""The layout of a graph is the cheapest of all, and what it costs is known for common graphs."""

from itertools import product

import onnx_ir as ir
from hypothesis import assume, given, settings

from compressor.layout.assign import Layout, assign
from compressor.layout.movement import movement_cost, movement_costs
from compressor.layout.orders import RESHAPE_COST, Label, item_size, transpose_cost
from compressor.layout.orientation import is_tracked, orient
from exporters.tflite.dialect import shape_of
from exporters.tflite.legalize import legalize
from exporters.tflite.ops.protocol import Role
from exporters.tflite.orders import RULES
from exporters.tflite.prepare import prepare
from tests.exporters.tflite.harness import parse, with_random_constants
from tests.exporters.tflite.random_graphs import random_graphs

BRUTE_FORCE_LIMIT = 11


def _total(graph: ir.Graph, layout: Layout) -> int:
    """Return the bytes that *layout* moves in *graph*."""
    cost = 0
    values = [*graph.inputs, *(out for node in graph for out in node.outputs)]
    for value in filter(is_tracked, values):
        made = layout.made[value]
        wanted = {layout.wanted(node, value) for node in value.consumers()}
        if value in layout.delivered:
            wanted.add(layout.delivered[value])
        if wanted - {made}:
            first, last = (layout.order(value, label) for label in Label)
            order = last if layout.own(value) is Label.FIRST else first
            cost += transpose_cost(order, shape_of(value), item_size(value))
    for node in graph:
        if RULES.role(node) is Role.MOVEMENT:
            source, out = node.inputs[0], node.outputs[0]
            before = layout.order(source, layout.read[node])
            cost += movement_cost(node, before, layout.order(out, layout.made[out]), RULES)
    return cost


def _cheapest(graph: ir.Graph, found: Layout) -> int:
    """Return the least cost over all labels of the nodes that have a choice."""
    any_order = [n for n in graph if RULES.role(n) is Role.ANY]
    movements = [n for n in graph if RULES.role(n) is Role.MOVEMENT]
    choices = [*any_order, *movements, *movements]
    assume(len(choices) <= BRUTE_FORCE_LIMIT)
    best = None
    for labels in product(Label, repeat=len(choices)):
        made, read = dict(found.made), dict(found.read)
        for node, label in zip(choices[: len(any_order) + len(movements)], labels, strict=False):
            read[node] = label
            if node in any_order:
                made |= dict.fromkeys(node.outputs, label)
        for node, label in zip(movements, labels[len(any_order) + len(movements) :], strict=True):
            made[node.outputs[0]] = label
        layout = Layout(source=found.source, made=made, read=read, delivered=found.delivered)
        total = _total(graph, layout)
        best = total if best is None else min(best, total)
    return best or 0


@settings(max_examples=40)
@given(random_graphs(max_nodes=5))
def test_no_other_layout_is_cheaper(model: ir.Model) -> None:
    graph = prepare(model).graph
    assert legalize(graph) == []
    found = assign(graph, {}, RULES)
    moves = [node for node in graph if RULES.role(node) is Role.MOVEMENT]
    tables = [
        movement_costs(n, found.own(n.inputs[0]), found.own(n.outputs[0]), RULES) for n in moves
    ]
    assume(all(table.is_submodular for table in tables))
    assert _total(graph, found) == _cheapest(graph, found)


def _cost(text: str) -> int:
    graph = prepare(with_random_constants(parse(text))).graph
    assert legalize(graph) == []
    return _total(graph, assign(graph, {}, RULES))


def test_a_convolution_between_images_moves_both_once() -> None:
    text = "g (float[1,3,4,4] x, float[2,3,1,1] w) => (float[1,2,4,4] y) { y = Conv(x, w) }"
    assert _cost(text) == 4 * 48 + 4 * 32 + 2 * RESHAPE_COST


def test_flattening_before_constant_weights_is_free() -> None:
    text = """g (float[1,1,4,4] x, float[2,1,1,1] w, float[3,32] v) => (float[1,3] y)
    { c = Conv(x, w) f = Flatten(c) y = Gemm<transB=1>(f, v) }"""
    assert _cost(text) == RESHAPE_COST


def test_transposes_of_a_channels_last_source_are_free() -> None:
    text = """g (float[1,4,4,3] x, float[2,3,1,1] w) => (float[1,4,4,2] y)
    { a = Transpose<perm=[0,3,1,2]>(x) c = Conv(a, w) y = Transpose<perm=[0,2,3,1]>(c) }"""
    assert _cost(text) == 0


def test_orientation_passes_through_patches() -> None:
    text = """g (float[1,1,4,4] x, float[6,1,2,2] w) => (float[1,4,6] y) <int64[3] s = {1, 6, 4}>
    { c = Conv<strides=[2,2]>(x, w) r = Reshape(c, s) y = Transpose<perm=[0,2,1]>(r) }"""
    graph = prepare(with_random_constants(parse(text))).graph
    assert legalize(graph) == []
    assert orient(graph, RULES)[graph.outputs[0]] is Label.LAST
    assert _total(graph, assign(graph, {}, RULES)) == RESHAPE_COST
