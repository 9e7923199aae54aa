"""Matrix products of integers that give floats, which TFLite has in hybrid form only.

A hybrid FULLY_CONNECTED reads floats and quantizes each row by itself as it runs, with the same
integer weights. It is at least as accurate as one scale for all rows.
"""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    is_convert,
    precision_of,
    quant_of,
    set_precision,
    set_quant,
)
from compressor.ir.rewrite import free_name


def use_hybrid_forms(graph: ir.Graph) -> None:
    """Let the integer products of *graph* with float results read floats as well."""
    for node in list(graph):
        if _gives_floats(node):
            node.replace_input_with(0, _as_float(node.inputs[0], node))
            set_precision(node, Precision.DYNAMIC)
            for bias in node.inputs[2:]:
                if bias is not None:
                    set_quant(bias, None)


def _gives_floats(node: ir.Node) -> bool:
    return (
        node.op_type == "Gemm"
        and precision_of(node) is Precision.INTEGER
        and quant_of(node.outputs[0]) is None
    )


def _as_float(value: ir.Value | None, reader: ir.Node) -> ir.Value:
    """Return the float behind the integers *value*: what they were made from, or a conversion."""
    producer = None if value is None else value.producer()
    if value is None or reader.graph is None:
        raise ValueError(f"'{reader.name}' is not a layer of a graph")
    source = None if producer is None else producer.inputs[0]
    if is_convert(producer) and source is not None and quant_of(source) is None:
        return source
    node = ir.node(CONVERT, [value], domain=EDGEC_DOMAIN)
    result = node.outputs[0]
    result.name = free_name(reader.graph, f"{value.name}_float")
    node.name = f"convert_{result.name}"
    result.shape, result.type = value.shape, value.type
    reader.graph.insert_before(reader, node)
    return result
