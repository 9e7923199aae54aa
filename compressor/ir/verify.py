"""Checks that hold for every graph between two passes; a violation is a defect of the last one."""

from __future__ import annotations

import onnx
import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ir.annotations import Precision, is_convert, precision_of, quant_of
from compressor.ir.interface import Interface, TensorSpec, interface_of
from compressor.ir.op_facts import Role, facts_of, float_constants
from compressor.ir.rewrite import subgraphs_of

_USES_CONSTANTS = frozenset({Role.COMPUTE, Role.ARITHMETIC, Role.JOIN})


def verify(model: ir.Model, interface: Interface, after: str) -> None:
    """Raise ``PASS_BROKE_GRAPH`` unless *model* is well formed and still has *interface*."""
    problem = (
        _interface_problem(interface_of(model), interface)
        or _order_problem(model.graph)
        or _schema_problem(model)
        or _annotation_problem(model.graph)
    )
    if problem:
        raise EdgecError(
            Code.PASS_BROKE_GRAPH,
            f"the graph is not valid after {after}: {problem}",
            where=f"graph '{model.graph.name}'",
            hint="report this with the output of `edgec inspect MODEL`",
        )


def _interface_problem(have: Interface, want: Interface) -> str:
    for kind, now, then in (
        ("input", have.inputs, want.inputs),
        ("output", have.outputs, want.outputs),
    ):
        if [_identity(s) for s in now] != [_identity(s) for s in then]:
            return f"{kind}s changed from {[str(s) for s in then]} to {[str(s) for s in now]}"
        for new, old in zip(now, then, strict=True):
            fixed = [
                (a, b) for a, b in zip(new.shape, old.shape, strict=False) if isinstance(b, int)
            ]
            if len(new.shape) != len(old.shape) or any(a != b for a, b in fixed):
                return f"shape of {kind} {old} became {new}"
    return ""


def _identity(spec: TensorSpec) -> tuple[object, ...]:
    return spec.name, spec.dtype, spec.quantization


def _order_problem(graph: ir.Graph, around: frozenset[int] = frozenset()) -> str:
    """Return a value of *graph* that is read too early; subgraphs also see those *around* them."""
    known = {id(value) for value in (*graph.inputs, *graph.initializers.values())} | around
    names = [value.name for value in (*graph.inputs, *graph.initializers.values())]
    for node in graph:
        for value in node.inputs:
            if value is not None and id(value) not in known:
                return f"node '{node.name}' ({node.op_type}) reads '{value.name}' before it exists"
        for inner in subgraphs_of(node):
            problem = _order_problem(inner, frozenset(known))
            if problem:
                return problem
        known.update(id(value) for value in node.outputs)
        names += [value.name for value in node.outputs if value.name]
    if len(names) != len(set(names)):
        return f"value name '{next(n for n in names if names.count(n) > 1)}' is used twice"
    dangling = [value.name for value in graph.outputs if id(value) not in known]
    return f"output '{dangling[0]}' is not computed" if dangling else ""


def _schema_problem(model: ir.Model) -> str:
    opset = model.opset_imports.get("", 0)
    for node in model.graph.all_nodes():
        if node.domain not in ("", "ai.onnx"):
            continue
        try:
            schema = onnx.defs.get_schema(node.op_type, opset)
        except onnx.defs.SchemaError:
            return f"opset {opset} has no operator {node.op_type} (node '{node.name}')"
        if not schema.min_input <= len(node.inputs) <= schema.max_input:
            return f"node '{node.name}' ({node.op_type}) has {len(node.inputs)} inputs"
    return ""


def _annotation_problem(graph: ir.Graph) -> str:
    for value in (*graph.initializers.values(), *(v for node in graph for v in node.outputs)):
        params = quant_of(value)
        if params is None or params.axis is None or value.shape is None:
            continue
        rank = len(value.shape)
        if not -rank <= params.axis < rank or value.shape[params.axis] != len(params.scale):
            return f"'{value.name}' has {len(params.scale)} scales for axis {params.axis}"
    for node in graph:
        problem = _precision_problem(node)
        if problem:
            return f"node '{node.name}' ({node.op_type}): {problem}"
    return ""


def _precision_problem(node: ir.Node) -> str:
    computed = [v for v in node.inputs if v is not None and v.const_value is None]
    integer = [quant_of(value) is not None for value in (*computed, *node.outputs)]
    if is_convert(node):
        same = quant_of(node.inputs[0]) == quant_of(node.outputs[0])
        return "converts to the representation it already has" if same else ""
    if precision_of(node) is Precision.INTEGER:
        return _operand_problem(node, computed)
    return "is float but has an integer operand" if any(integer) else ""


def _operand_problem(node: ir.Node, computed: list[ir.Value]) -> str:
    """Every operand of an integer node is integer, and data movement keeps its scale.

    A matrix product may leave as float: its int32 sums are scaled in any case.
    """
    role = facts_of(node).role
    constants = float_constants(node) if role in _USES_CONSTANTS else []
    made = () if node.op_type == "Gemm" else node.outputs
    tensors = [v for v in (*computed, *made) if v.dtype == ir.DataType.FLOAT] + constants
    params = {quant_of(value) for value in tensors}
    if None in params:
        return "is integer but has a float operand"
    if role in (Role.MOVEMENT, Role.JOIN) and len(params) > 1:
        return "moves integers from one scale to another"
    return ""
