"""A digest that identifies a graph: structure, attributes, constants and annotations."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import precision_of, quant_of
from compressor.ir.rewrite import subgraphs_of


def fingerprint(model: ir.Model) -> str:
    """Return 32 hex digits that change when anything that affects execution changes.

    Metadata and documentation do not count; names do, since tables refer to values by name.
    """
    digest = hashlib.blake2b(digest_size=16)

    def feed(*parts: object) -> None:
        for part in parts:
            digest.update(str(part).encode() + b"\0")

    feed(sorted(model.opset_imports.items()))
    for value in (*model.graph.inputs, *model.graph.outputs):
        feed(value.name, value.dtype, value.shape, quant_of(value))
    for name, value in sorted(model.graph.initializers.items()):
        feed(name, value.dtype, value.shape, quant_of(value))
        if value.const_value is not None:
            digest.update(np.ascontiguousarray(value.const_value.numpy()).view(np.uint8).data)
    for node in model.graph:
        _feed_node(node, feed)
    return digest.hexdigest()


def _feed_node(node: ir.Node, feed: Callable[..., None]) -> None:
    feed(node.domain, node.op_type, precision_of(node))
    feed([None if value is None else value.name for value in node.inputs])
    feed([(value.name, quant_of(value)) for value in node.outputs])
    feed(*(f"{name}={_attribute(attr)}" for name, attr in sorted(node.attributes.items())))
    for graph in subgraphs_of(node):
        feed([(v.name, v.dtype, v.shape) for v in (*graph.inputs, *graph.outputs)])
        for inner in graph:
            _feed_node(inner, feed)


def _attribute(attribute: ir.Attr) -> str:
    if attribute.type == ir.AttributeType.GRAPH:
        return "graph"
    if attribute.type == ir.AttributeType.TENSOR:
        array = attribute.as_tensor().numpy()
        return f"{array.dtype}{array.shape}{hashlib.blake2b(array.tobytes()).hexdigest()}"
    return str(attribute.value)
