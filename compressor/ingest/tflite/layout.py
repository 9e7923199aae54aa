"""The axis orders of ONNX's operators, and the graph brought to them with the fewest Transposes.

Spatial operators have channels first, and the importer has put Transposes around each of them.
Elementwise operators, reductions and slices can work in either order. Inputs and outputs keep the
order of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnx_ir as ir

from compressor.ingest.tflite.emitter import moved
from compressor.ingest.tflite.graph import mark_tensor, stands_for_tensor
from compressor.ir.annotations import Precision, quant_of, set_precision, set_quant
from compressor.ir.rewrite import Array, bypass, can_bypass, constant_of
from compressor.layout.access import first_input, perm_of, shape_of
from compressor.layout.orders import Label, Shape, compose, identity
from compressor.layout.rewrite import lay_out
from compressor.layout.rules import Role, Rules

Reorder = Callable[[ir.Node, Shape], None]


def settle_layout(graph: ir.Graph) -> None:
    """Remove the Transposes of *graph* that a change of axis order in between makes needless."""
    lay_out(graph, {}, RULES)
    _drop_transposes(graph)
    for node in reversed(graph):
        if not any(value.uses() or value.is_graph_output() for value in node.outputs):
            graph.remove(node, safe=True)


class _Editor:
    """Inserts Transposes and Reshapes in front of a node."""

    def __init__(self, anchor: ir.Node) -> None:
        if not isinstance(anchor.graph, ir.Graph):
            raise TypeError("only nodes that belong to a graph can be edited")
        self._anchor = anchor
        self._graph = anchor.graph

    def transpose(self, value: ir.Value, perm: Shape) -> ir.Value:
        """Return *value* transposed by *perm*."""
        shape = tuple(shape_of(value)[axis] for axis in perm)
        return self._insert("Transpose", [value], shape, {"perm": list(perm)})

    def reshape(self, value: ir.Value, shape: Shape) -> ir.Value:
        """Return *value* in *shape*, which the anchor states as well."""
        return self._insert("Reshape", [value, self._anchor.inputs[1]], shape, {})

    def replace(self, value: ir.Value) -> None:
        """Let *value* stand for the anchor's result, under its name."""
        old = self._anchor.outputs[0]
        old.name, value.name = f"{old.name}/replaced", old.name
        old.replace_all_uses_with(value, replace_graph_outputs=True)
        self._graph.remove(self._anchor, safe=True)

    def _insert(
        self,
        op_type: str,
        inputs: list[ir.Value | None],
        shape: Shape,
        attributes: Mapping[str, list[int]],
    ) -> ir.Value:
        node = ir.node(op_type, inputs, attributes)
        result, source = node.outputs[0], inputs[0]
        if source is None:
            raise ValueError("there is nothing to move")
        name = f"{source.name}/{op_type.lower()}{len(source.uses())}/{self._anchor.name}"
        node.name = result.name = name
        result.shape, result.type = ir.Shape(shape), source.type
        set_quant(result, quant_of(source))
        if quant_of(source) is not None:
            set_precision(node, Precision.INTEGER)
        self._graph.insert_before(self._anchor, node)
        return result


def _drop_transposes(graph: ir.Graph) -> None:
    """Read around Transposes that move nothing, alone or together with the one before."""
    for node in graph:
        if node.op_type != "Transpose":
            continue
        first = first_input(node).producer()
        if first is not None and first.op_type == "Transpose":
            perm = compose(perm_of(first), perm_of(node))
            node.attributes.add(ir.AttrInt64s("perm", perm))
            node.replace_input_with(0, first.inputs[0])
        if perm_of(node) == identity(len(perm_of(node))) and can_bypass(node):
            _bypass(node)


def _bypass(node: ir.Node) -> None:
    """Remove *node*; what is left takes the name of the file's tensor, if it has none."""
    source, result = first_input(node), node.outputs[0]
    name, is_tensor = result.name, stands_for_tensor(result)
    bypass(node)
    if is_tensor and not stands_for_tensor(source):
        mark_tensor(source)
        source.name = name


def _reorder_operands(node: ir.Node, order: Shape) -> None:
    """Transpose the constant operands that have axes."""
    for index, value in enumerate(node.inputs):
        array = constant_of(value)
        if value is None or array is None or array.ndim != len(order) or array.size == 1:
            continue
        _set_input(node, index, array.transpose(order), along=order)


def _reorder_axis(node: ir.Node, order: Shape) -> None:
    axis = node.attributes.get_int("axis", -1) % len(order)
    node.attributes.add(ir.AttrInt64("axis", order.index(axis)))


def _reorder_join(node: ir.Node, order: Shape) -> None:
    _reorder_axis(node, order)
    _reorder_operands(node, order)


def _reorder_axes(index: int) -> Reorder:
    """Point the axes that input *index* lists at where they are stored."""

    def reorder(node: ir.Node, order: Shape) -> None:
        axes = _constant(node, index)
        stored = np.asarray([order.index(axis % len(order)) for axis in axes.ravel().tolist()])
        _set_input(node, index, stored.reshape(axes.shape).astype(np.int64))

    return reorder


def _reorder_pads(node: ir.Node, order: Shape) -> None:
    pads = _constant(node, 1).reshape(2, len(order))
    _set_input(node, 1, pads[:, list(order)].ravel())


def _reorder_counts(node: ir.Node, order: Shape) -> None:
    _set_input(node, 1, _constant(node, 1)[list(order)])


def _constant(node: ir.Node, index: int) -> Array:
    array = constant_of(node.inputs[index])
    if array is None:
        raise ValueError(f"input {index} of '{node.name}' is not constant")
    return array


def _set_input(node: ir.Node, index: int, array: Array, *, along: Shape | None = None) -> None:
    """Give *node* the constant *array* in place of its input *index*, transposed by *along*."""
    old, graph = node.inputs[index], node.graph
    if old is None or not isinstance(graph, ir.Graph):
        raise ValueError("there is nothing to replace")
    is_sole = len(old.uses()) == 1
    name = old.name if is_sole else f"{old.name}/{node.name}/{index}"
    tensor = ir.Tensor(np.ascontiguousarray(array), name=name)
    value = ir.Value(
        name=name,
        shape=ir.Shape(array.shape),
        type=ir.TensorType(tensor.dtype),
        const_value=tensor,
    )
    set_quant(value, quant_of(old) if along is None else moved(quant_of(old), along))
    node.replace_input_with(index, value)
    if is_sole:
        graph.initializers.pop(old.name or "")
    graph.register_initializer(value)


def _retarget(node: ir.Node, order: Shape) -> None:
    """State the target of a Reshape in the order of its result."""
    _set_input(node, 1, _constant(node, 1)[list(order)])


def _permute_rows(node: ir.Node, rows: Shape) -> None:
    """Let a Gemm read its input with element ``i`` taken from ``rows[i]``."""
    _set_input(node, 1, _constant(node, 1)[:, list(rows)])


_SPATIAL = frozenset(
    {
        "AveragePool",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "MaxPool",
        "Resize",
        "SpaceToDepth",
    }
)
_ELEMENTWISE = frozenset(
    {
        "Abs", "Add", "And", "Cast", "Ceil", "Clip", "Convert", "Cos", "Div", "Elu", "Equal", "Exp",
        "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSwish", "Identity", "LeakyRelu", "Less",
        "LessOrEqual", "Log", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pow",
        "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sqrt", "Sub", "Tanh", "Where",
    }
)  # fmt: skip
_REORDER: Mapping[str, Reorder] = {
    **dict.fromkeys(_ELEMENTWISE, _reorder_operands),
    **dict.fromkeys(("ArgMax", "ArgMin", "LogSoftmax", "Softmax", "Split"), _reorder_axis),
    **dict.fromkeys(
        ("ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "CumSum"),
        _reorder_axes(1),
    ),
    "Concat": _reorder_join,
    "Gather": _reorder_axis,
    "Pad": _reorder_pads,
    "Slice": _reorder_axes(3),
    "Tile": _reorder_counts,
}


def _role(node: ir.Node) -> Role:
    if node.op_type in _SPATIAL:
        return Role.SPATIAL
    if node.op_type in ("Reshape", "Transpose"):
        return Role.MOVEMENT
    if node.op_type == "Gather" and not _picks_by_constant(node):
        return Role.SOURCE
    return Role.ANY if node.op_type in _REORDER else Role.SOURCE


def _picks_by_constant(node: ir.Node) -> bool:
    indices = constant_of(node.inputs[1])
    return indices is not None and indices.ndim == 1


def _reorder(node: ir.Node, order: Shape) -> None:
    _REORDER[node.op_type](node, order)


RULES = Rules(
    domain="",
    spatial=Label.FIRST,
    role=_role,
    reorder=_reorder,
    retarget=_retarget,
    product="Gemm",
    permute_rows=_permute_rows,
    edit=_Editor,
    passed_by_flatten=frozenset({"Clip", "Convert", "Relu"}),
)
