"""Elementwise operators written out in others, as functions in ONNX's text form.

Each operator of a composition makes the broadcast shape of its inputs. A constant takes the type of
the node's first input, so that one text serves reals and integers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from onnx import numpy_helper

from exporters.tflite.dialect import required_input, shape_of
from exporters.tflite.editor import Editor, result_type
from exporters.tflite.ops.protocol import Legalize
from exporters.tflite.types import type_of

_HEADER = '<domain: "edgec.composition", opset_import: ["" : 21]>\n'


def composition(text: str) -> Legalize:
    """Return the legalization that replaces a node by the function *text*.

    Its parameters are the node's inputs in order, its attributes those of the node, with defaults.
    """

    def legalize(node: ir.Node) -> None:
        editor, function = Editor(node), _parsed(text)
        values = {name: required_input(node, i) for i, name in enumerate(function.input)}
        attributes = _attributes(node, function)
        for step in function.node:
            values[step.output[0]] = _step(editor, node, step, values, attributes)
        editor.replace(values[function.output[0]])

    return legalize


@cache
def _parsed(text: str) -> onnx.FunctionProto:
    return onnx.parser.parse_function(_HEADER + text)


def _attributes(node: ir.Node, function: onnx.FunctionProto) -> dict[str, Any]:
    """Return the attributes that *function* refers to, as *node* states them or by default."""
    found = {a.name: onnx.helper.get_attribute_value(a) for a in function.attribute_proto}
    stated = {name: node.attributes[name].value for name in found if name in node.attributes}
    return found | stated


def _step(
    editor: Editor,
    node: ir.Node,
    step: onnx.NodeProto,
    values: dict[str, ir.Value],
    attributes: dict[str, Any],
) -> ir.Value:
    own = {
        a.name: attributes[a.ref_attr_name]
        if a.ref_attr_name
        else onnx.helper.get_attribute_value(a)
        for a in step.attribute
    }
    if step.op_type == "Constant":
        real = next(iter(own.values()))
        array = numpy_helper.to_array(real) if isinstance(real, onnx.TensorProto) else real
        return editor.constant(np.asarray(array).astype(type_of(required_input(node, 0)).numpy()))
    inputs = [values[name] for name in step.input]
    shape = np.broadcast_shapes(*(shape_of(value) for value in inputs))
    dtype = ir.DataType(own["to"]) if step.op_type == "Cast" else result_type(step.op_type, inputs)
    return editor.node(step.op_type, inputs, [shape], own, domain=step.domain, dtype=dtype)[0]
