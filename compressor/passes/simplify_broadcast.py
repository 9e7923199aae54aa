"""Leave broadcasting to the operators that do it themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator

from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import Array, add_constant, constant_of, replace_node
from compressor.ir.symbols import BROADCASTING
from compressor.passes.protocol import Changes, PassContext

_ELEMENTWISE = BROADCASTING | {"Not", "Neg", "Cast", "Abs"}
_LARGEST_CONSTANT = 1 << 24


@dataclass(frozen=True, kw_only=True)
class SimplifyBroadcast:
    """Compute on constants before they are expanded; let operators expand what they read.

    An attention mask that is the same for every sample is made by arithmetic on a constant that
    was expanded to the batch. It becomes a constant again, which the operator that adds it
    broadcasts by itself.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Fold expanded constants and drop the Expand nodes of *model* that nothing needs."""
        folded = dropped = 0
        for node in list(model.graph):
            if node.op_type in _ELEMENTWISE and _fold(node, model):
                folded += 1
        for node in model.graph:
            if node.op_type in BROADCASTING:
                dropped += _drop_expands(node)
        return Changes(counts={"folded before expansion": folded, "expansions dropped": dropped})


def _expansion(value: ir.Value | None) -> ir.Node | None:
    """Return the Expand that makes *value* from a constant."""
    node = None if value is None else value.producer()
    if node is None or node.op_type != "Expand" or constant_of(node.inputs[0]) is None:
        return None
    return node


def _fold(node: ir.Node, model: ir.Model) -> bool:
    """Turn *node*, which reads constants and expanded constants, into an Expand of a constant."""
    expansions = [found for value in node.inputs if (found := _expansion(value))]
    result, graph = node.outputs[0], node.graph
    like = next((e for e in expansions if _same(e.outputs[0], result)), None)
    if like is None or graph is None or quant_of(result) is not None:
        return False
    sources = [e.inputs[0] if (e := _expansion(value)) else value for value in node.inputs]
    arrays = [array for value in sources if (array := constant_of(value)) is not None]
    if len(arrays) < len(sources) or any(array.size > _LARGEST_CONSTANT for array in arrays):
        return False
    inputs = {f"x{index}": array for index, array in enumerate(arrays)}
    constant = add_constant(graph, f"{result.name}_alone", _evaluated(node, inputs, model))
    expand = ir.node("Expand", [constant, like.inputs[1]], name=node.name)
    replace_node(node, [expand])
    return True


def _evaluated(node: ir.Node, inputs: Mapping[str, Array], model: ir.Model) -> Array:
    """Return what *node* computes from *inputs*."""
    fed = [_fed(name, array) for name, array in inputs.items()]
    copy = ir.node(node.op_type, fed, dict(node.attributes))
    copy.outputs[0].name = "result"
    graph = ir.Graph(fed, copy.outputs, nodes=[copy], opset_imports=model.opset_imports)
    proto = ir.to_proto(ir.Model(graph, ir_version=model.ir_version))
    (result,) = ReferenceEvaluator(proto).run(None, dict(inputs))
    return np.asarray(result)


def _fed(name: str, array: Array) -> ir.Value:
    kind = ir.TensorType(ir.DataType.from_numpy(array.dtype))
    return ir.Value(name=name, shape=ir.Shape(array.shape), type=kind)


def _same(first: ir.Value, second: ir.Value) -> bool:
    """Whether two values have one shape, each dimension known by number or name."""
    if first.shape is None or second.shape is None or first.shape != second.shape:
        return False
    return all(isinstance(dim, int) or dim.value is not None for dim in first.shape)


def _drop_expands(node: ir.Node) -> int:
    """Let *node* read what is before each Expand whose result another operand covers."""
    dropped = 0
    for index, value in enumerate(node.inputs):
        expand = None if value is None else value.producer()
        if value is None or expand is None or expand.op_type != "Expand":
            continue
        others = [v for i, v in enumerate(node.inputs) if i != index and v is not None]
        source = expand.inputs[0]
        if source is not None and _covered(source, value, others):
            node.replace_input_with(index, source)
            dropped += 1
    return dropped


def _covered(source: ir.Value, expanded: ir.Value, others: Sequence[ir.Value]) -> bool:
    """Whether *others* broadcast *source* to what *expanded* is: they have each length it gains."""
    if source.shape is None or expanded.shape is None:
        return False
    rank = len(expanded.shape)
    for back, (have, want) in enumerate(
        zip_longest(reversed(source.shape), reversed(expanded.shape), fillvalue=1), start=1
    ):
        if have == want and not _nameless(have):
            continue
        if not any(_length(other, back) == want for other in others) or _nameless(want):
            return False
    return any(other.shape is not None and len(other.shape) >= rank for other in others)


def _nameless(dim: int | ir.SymbolicDim) -> bool:
    return isinstance(dim, ir.SymbolicDim) and dim.value is None


def _length(value: ir.Value, back: int) -> int | ir.SymbolicDim | None:
    """Return the dimension of *value* that is *back* from the end."""
    shape = value.shape
    return None if shape is None or len(shape) < back else shape[-back]
