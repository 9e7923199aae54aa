"""Operators: known ones, with the operands and attributes that their schemas ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx

from compressor.errors import Code, EdgecError
from compressor.ingest.onnx.reading import unreadable
from compressor.ingest.onnx.walk import nodes_of
from compressor.passes.fused.quantized import MICROSOFT
from compressor.passes.fused.signatures import ATTRIBUTES
from compressor.passes.unfuse import RULES

STANDARD = frozenset({"", "ai.onnx"})
_EARLY = "LayerNormalization"
_LARGEST_VERSION = 10_000
_DOMAINS = frozenset({"", "ai.onnx.ml"})


def name_domains(proto: onnx.ModelProto) -> None:
    """Call the default domain of *proto* by its short name, and what is ONNX Runtime's by its own.

    Its optimiser writes a LayerNormalization of the default domain before the standard had one.
    """
    for imports in (proto.opset_import, *(f.opset_import for f in proto.functions)):
        for entry in imports:
            entry.domain = "" if entry.domain in STANDARD else entry.domain
    opsets = {entry.domain: entry.version for entry in proto.opset_import}
    for body in (proto.graph, *proto.functions):
        for node in nodes_of(body):
            node.domain = "" if node.domain in STANDARD else node.domain
            if node.op_type == _EARLY and not node.domain and _schema(node, opsets) is None:
                node.domain = MICROSOFT


def check_functions(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse functions that are written in another opset than the graph that they are part of."""
    own = {entry.domain: entry.version for entry in proto.opset_import}
    for function in proto.functions:
        for entry in function.opset_import:
            if own.setdefault(entry.domain, entry.version) != entry.version:
                raise EdgecError(
                    Code.MODEL_UNSUPPORTED,
                    f"function '{function.name}' uses opset {entry.version} of "
                    f"'{entry.domain or 'ai.onnx'}', its model {own[entry.domain]}",
                    where=str(path),
                    expected="one opset for the whole model",
                    hint="inline the functions first: onnx.inliner.inline_local_functions",
                )


def check_operators(proto: onnx.ModelProto, path: Path, oldest: int, newest: int) -> None:
    """Refuse opsets outside *oldest* to *newest*, unknown operators and malformed nodes.

    Raises:
        EdgecError: ``MODEL_UNSUPPORTED`` or ``MODEL_UNREADABLE``.
    """
    local = {(f.domain, f.name) for f in proto.functions}
    for body, imports in (
        (proto.graph, proto.opset_import),
        *((f, f.opset_import) for f in proto.functions),
    ):
        opsets = {entry.domain: entry.version for entry in imports}
        if not all(0 < version <= _LARGEST_VERSION for version in opsets.values()):
            raise unreadable(path, f"it uses impossible versions of operators: {opsets}")
        standard = opsets.get("")
        if standard is not None and not oldest <= standard <= newest:
            raise EdgecError(
                Code.MODEL_UNSUPPORTED,
                f"the model uses opset {standard}",
                where=str(path),
                expected=f"an opset from {oldest} to {newest}",
                hint="export the model again with a current opset",
            )
        for node in nodes_of(body):
            if (node.domain, node.op_type) not in local:
                _check_node(node, opsets, path)


def _check_node(node: onnx.NodeProto, opsets: Mapping[str, int], path: Path) -> None:
    if (node.domain, node.op_type) in RULES and node.domain:
        problem = _fused_problem(node)
        if problem:
            raise unreadable(path, problem, where=f"node '{node.name}' ({node.op_type})")
        return
    schema = _schema(node, opsets)
    if schema is None:
        raise EdgecError(
            Code.MODEL_UNSUPPORTED,
            _unknown(node, opsets),
            where=f"{path}, node '{node.name}'",
            expected="operators of the standard ONNX domain",
            hint="export the model without it, or split the model there",
        )
    problem = _operand_problem(node, schema) or _attribute_problem(node, schema)
    if problem:
        raise unreadable(path, problem, where=f"node '{node.name}' ({node.op_type})")


def _schema(node: onnx.NodeProto, opsets: Mapping[str, int]) -> onnx.defs.OpSchema | None:
    if node.domain not in _DOMAINS or not 0 < opsets.get(node.domain, 0) <= _LARGEST_VERSION:
        return None
    try:
        return onnx.defs.get_schema(node.op_type, opsets[node.domain], node.domain)
    except onnx.defs.SchemaError:
        return None


def _fused_problem(node: onnx.NodeProto) -> str:
    """Check an operator of ONNX Runtime, which has no schema here."""
    for attribute in node.attribute:
        wanted = ATTRIBUTES.get(attribute.name)
        if wanted is None:
            return f"has an attribute '{attribute.name}' that is not known"
        if attribute.type != wanted.value or attribute.ref_attr_name:
            return f"has an attribute '{attribute.name}' of the wrong type"
    least = RULES[node.domain, node.op_type].operands
    if len(node.input) < least or not node.input[0]:
        return f"has fewer than {least} inputs"
    return "" if any(node.output) else "has no outputs"


def _unknown(node: onnx.NodeProto, opsets: Mapping[str, int]) -> str:
    if not node.domain:
        return f"opset {opsets.get('', 'none')} has no operator {node.op_type}"
    return f"operator {node.domain}::{node.op_type} is not part of the ONNX standard"


def _operand_problem(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> str:
    inputs, outputs = len(node.input), len(node.output)
    if not schema.min_input <= inputs <= schema.max_input:
        return f"has {inputs} inputs"
    if not schema.min_output <= outputs <= schema.max_output:
        return f"has {outputs} outputs"
    single = onnx.defs.OpSchema.FormalParameterOption.Single
    for formal, name in zip(schema.inputs, node.input, strict=False):
        if formal.option == single and not name:
            return f"lacks its input {formal.name}"
    return "" if any(node.output) else "has no outputs"


def _attribute_problem(node: onnx.NodeProto, schema: onnx.defs.OpSchema) -> str:
    seen: set[str] = set()
    for attribute in node.attribute:
        formal = schema.attributes.get(attribute.name)
        if formal is None:
            return f"has an attribute '{attribute.name}' that its operator lacks"
        if attribute.name in seen:
            return f"states its attribute '{attribute.name}' twice"
        if attribute.type != onnx.AttributeProto.AttributeType.Value(
            str(formal.type).rpartition(".")[2]
        ):
            return f"has an attribute '{attribute.name}' of the wrong type"
        if not attribute.ref_attr_name and not _has_content(attribute):
            return f"has an attribute '{attribute.name}' without content"
        seen.add(attribute.name)
    missing = [n for n, formal in schema.attributes.items() if formal.required and n not in seen]
    return f"lacks its attribute '{missing[0]}'" if missing else ""


def _has_content(attribute: onnx.AttributeProto) -> bool:
    """Whether a tensor or graph attribute holds one; numbers have defaults."""
    match attribute.type:
        case onnx.AttributeProto.TENSOR:
            return bool(attribute.HasField("t"))
        case onnx.AttributeProto.GRAPH:
            return bool(attribute.HasField("g"))
        case onnx.AttributeProto.SPARSE_TENSOR:
            return bool(attribute.HasField("sparse_tensor"))
        case _:
            return True
