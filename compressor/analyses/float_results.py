"""Which integer layers hand on their sums as float: those whose result only float nodes read.

A matrix product accumulates in int32 and can leave as float at no cost. Eight bits in between would
only lose: between attention, activation functions and residual sums of a transformer they cost
most of the accuracy that INT8 loses there. A convolution has no such form in any runtime.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import onnx_ir as ir

from compressor.ir.op_facts import Role, data_inputs, facts_of


@dataclass(frozen=True, kw_only=True)
class FloatResults:
    """Integer nodes that give floats.

    Attributes:
        products: matrix products of integers that leave as float.
        between: nodes between these and the float nodes that read them; they become float.
    """

    products: frozenset[ir.Node]
    between: frozenset[ir.Node]


def float_results(graph: ir.Graph, integer: AbstractSet[ir.Node]) -> FloatResults:
    """Return the nodes of *integer* whose results should be float.

    A result that leaves the graph stays integer in an integer network, where the layer's input is
    integer anyway, and becomes float behind float nodes.
    """
    float_fed = _behind_products(graph, integer)
    products: set[ir.Node] = set()
    between: set[ir.Node] = set()
    for node in reversed(list(graph)):
        if node not in float_fed:
            continue
        readers = {reader for out in node.outputs for reader in out.consumers()}
        is_output = any(out.is_graph_output() for out in node.outputs)
        if readers & (integer - between) or (is_output and not float_fed[node]):
            continue
        (products if _is_product(node) else between).add(node)
    return FloatResults(products=frozenset(products), between=frozenset(between))


def _behind_products(graph: ir.Graph, integer: AbstractSet[ir.Node]) -> dict[ir.Node, bool]:
    """Return the nodes whose values all come from matrix products, and whether these read floats.

    Elementwise nodes and movements hand the property on.
    """
    found: dict[ir.Node, bool] = {}
    for node in graph:
        if node not in integer:
            continue
        producers = [value.producer() for value in data_inputs(node)]
        if _is_product(node):
            found[node] = not any(producer in integer for producer in producers)
        elif facts_of(node).role is not Role.COMPUTE and producers:
            known = [None if producer is None else found.get(producer) for producer in producers]
            if None not in known:
                found[node] = all(known)
    return found


def _is_product(node: ir.Node) -> bool:
    return node.op_type == "Gemm" and facts_of(node).role is Role.COMPUTE
