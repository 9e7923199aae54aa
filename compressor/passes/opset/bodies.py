"""Operators that the standard itself defines in terms of others."""

from __future__ import annotations

from typing import Any

import onnx
import onnx_ir as ir

from compressor.passes.opset.site import Unconvertible

BODY_DOMAIN = "edgec.body"

Schema = Any  # an onnx.defs.OpSchema; its type stubs lack all that is about functions


def has_body(schema: Schema) -> bool:
    """Whether the standard defines the operator of *schema* by others."""
    return bool(schema.has_function or schema.has_context_dependent_function)


def body_of(node: ir.Node, schema: Schema, name: str) -> ir.Function:
    """Return what *node* computes as a function called *name*, from its operator's *schema*.

    Raises:
        Unconvertible: when the standard has no such definition, or the node's types are not known.
    """
    proto = onnx.FunctionProto()
    if schema.context_dependent_function_opset_versions:
        version = max(schema.context_dependent_function_opset_versions)
        content = schema.get_context_dependent_function_with_opset_version(
            version, ir.to_proto(node).SerializeToString(), [_type_of(v) for v in node.inputs]
        )
    elif schema.function_opset_versions:
        content = schema.get_function_with_opset_version(max(schema.function_opset_versions))
    else:
        raise Unconvertible("it is newer, and not made of older operators")
    if not content:
        raise Unconvertible("the standard does not define this form by older operators")
    proto.ParseFromString(content)
    proto.domain, proto.name = BODY_DOMAIN, name
    _complete_outputs(proto, len(node.outputs))
    _bind_defaults(node, schema)
    return ir.serde.deserialize_function(proto)


def _complete_outputs(proto: onnx.FunctionProto, count: int) -> None:
    """Keep the first *count* outputs; those that this use of the body leaves out become stand-ins.

    Nothing reads them: a body leaves out only what the node does not name.
    """
    del proto.output[count:]
    made = {name for node in proto.node for name in node.output}
    for name in proto.output:
        if name not in made:
            proto.node.append(onnx.helper.make_node("Identity", [proto.input[0]], [name]))


def _type_of(value: ir.Value | None) -> bytes:
    """Return the serialized TypeProto of *value*, empty for an absent one."""
    if value is None:
        return b""
    if value.type is None:
        raise Unconvertible(f"the type of '{value.name}' is not known")
    content: bytes = ir.to_proto(value).type.SerializeToString()
    return content


def _bind_defaults(node: ir.Node, schema: Schema) -> None:
    """Write out the attributes that *node* leaves to their defaults; a body refers to them."""
    for name, attribute in schema.attributes.items():
        if name not in node.attributes and attribute.default_value.name:
            node.attributes[name] = ir.serde.deserialize_attribute(attribute.default_value)
