"""A graph with its annotations as one ONNX model.

Annotations live beside the graph in memory; here they become one entry of the model's metadata.
"""

from __future__ import annotations

import json
from typing import Any

import onnx
import onnx_ir as ir

from compressor.ir.annotations import (
    Precision,
    origin_of,
    precision_of,
    quant_of,
    reason_of,
    set_origin,
    set_precision,
    set_quant,
)
from compressor.ir.quant import IntegerType, QuantParams

KEY = "edgec.annotations"
"""Key of the metadata that holds the annotations."""


def pack(model: ir.Model) -> onnx.ModelProto:
    """Return *model* as ONNX whose metadata holds quantization, precision and origin by name.

    Names of nodes and of values must be unique, as every canonical graph has them.
    """
    proto = ir.to_proto(model)
    text = json.dumps(_annotations(model), sort_keys=True)
    proto.metadata_props.append(onnx.StringStringEntryProto(key=KEY, value=text))
    return proto


def unpack(proto: onnx.ModelProto) -> ir.Model:
    """Return the model that ``pack`` was given; one without annotations is returned as it is.

    Raises:
        ValueError: the annotations are not those that ``pack`` writes.
    """
    model = ir.from_proto(proto)
    text = model.metadata_props.pop(KEY, None)
    if text is not None:
        _annotate(model, json.loads(text))
    return model


def _annotations(model: ir.Model) -> dict[str, Any]:
    return {
        "values": {
            value.name: _params_json(params)
            for value in _values(model.graph)
            if (params := quant_of(value)) is not None
        },
        "nodes": {
            node.name: {
                "precision": precision_of(node).value,
                "reason": reason_of(node),
                "origin": list(origin_of(node)),
            }
            for node in model.graph
        },
    }


def _annotate(model: ir.Model, tree: dict[str, Any]) -> None:
    for value in _values(model.graph):
        if value.name in tree["values"]:
            set_quant(value, _params_of(tree["values"][value.name]))
    for node in model.graph:
        known = tree["nodes"][node.name]
        set_precision(node, Precision(known["precision"]), known["reason"])
        set_origin(node, known["origin"])


def _values(graph: ir.Graph) -> list[ir.Value]:
    """Return inputs, constants and what nodes compute."""
    computed = (value for node in graph for value in node.outputs)
    return [*graph.inputs, *graph.initializers.values(), *computed]


def _params_json(params: QuantParams) -> dict[str, Any]:
    return {
        "dtype": params.dtype.value,
        "scale": list(params.scale),
        "zero_point": list(params.zero_point),
        "axis": params.axis,
    }


def _params_of(tree: dict[str, Any]) -> QuantParams:
    return QuantParams(
        dtype=IntegerType(tree["dtype"]),
        scale=tuple(tree["scale"]),
        zero_point=tuple(tree["zero_point"]),
        axis=tree["axis"],
    )
