"""One type for real numbers: what is half, bfloat16 or double inside a model becomes float32."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import stamp_origin
from compressor.ir.lazy import derived
from compressor.ir.rewrite import numbered, set_tensor
from compressor.passes.opset.site import names_of
from compressor.passes.protocol import Changes, PassContext, Skipped

_OTHERS = frozenset({ir.DataType.FLOAT16, ir.DataType.BFLOAT16, ir.DataType.DOUBLE})
_TYPE_ATTRIBUTES = ("to", "dtype", "output_datatype")


@dataclass(frozen=True, kw_only=True)
class WidenFloats:
    """Compute in float32; inputs and outputs keep their types behind a Cast.

    Passes, quantization and mobile runtimes know float32. Half precision is asked for again when
    the model is written. Results of a half-precision model become more exact, those of a double one
    less; a value beyond 65,504 that was infinite in half precision is finite now.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Widen or narrow the real numbers of *model*, and of its subgraphs."""
        graphs = [model.graph, *model.graph.subgraphs()]
        found = {v.dtype for graph in graphs for v in _values(graph)} & _OTHERS
        if not found:
            return Changes()
        if any(_is_opaque(node) for node in model.graph.all_nodes()):
            reason = "sequences and operators of machine learning pipelines keep their types"
            return Changes(skipped=(Skipped(node="", reason=reason),))
        taken = names_of(model)
        public = (*model.graph.inputs, *model.graph.outputs)
        edge = [(v, v.dtype) for v in public if v.dtype is not None and v.dtype in _OTHERS]
        for graph in graphs:
            for value in _values(graph):
                _widen(value)
        for node in model.graph.all_nodes():
            _rewrite_attributes(node)
        for value, dtype in edge:
            if value.is_graph_input():
                _cast_input(model.graph, value, dtype, taken)
        types = dict(edge)
        for index, value in enumerate(model.graph.outputs):
            if types.get(value) is not None and not value.is_graph_input():
                _cast_output(model.graph, index, types[value], taken)
        names = sorted(dtype.name.lower() for dtype in found if dtype is not None)
        return Changes(counts=dict.fromkeys(names, 1))


def _values(graph: ir.Graph) -> Iterable[ir.Value]:
    yield from graph.inputs
    yield from graph.initializers.values()
    for node in graph:
        yield from node.outputs


def _is_opaque(node: ir.Node) -> bool:
    plain = all(v.type is None or isinstance(v.type, ir.TensorType) for v in node.outputs)
    named = node.op_type.startswith(("Sequence", "Optional", "SplitToSequence", "ConcatFrom"))
    return named or not plain or node.domain not in ("", "edgec")


def _widen(value: ir.Value) -> None:
    if value.dtype not in _OTHERS:
        return
    tensor, wide = value.const_value, ir.DataType.FLOAT
    if tensor is not None:
        shape = tensor.shape.numpy()
        set_tensor(value, derived(tensor, lambda a: a.astype(np.float32), dtype=wide, shape=shape))
    value.type = ir.TensorType(wide)


def _rewrite_attributes(node: ir.Node) -> None:
    for name in _TYPE_ATTRIBUTES:
        attribute = node.attributes.get(name)
        is_type = attribute is not None and attribute.type == ir.AttributeType.INT
        if is_type and node.attributes.get_int(name) in {dtype.value for dtype in _OTHERS}:
            node.attributes[name] = ir.AttrInt64(name, ir.DataType.FLOAT.value)
    value = node.attributes.get("value")
    if value is not None and value.type == ir.AttributeType.TENSOR:
        tensor = value.as_tensor()
        if tensor.dtype in _OTHERS:
            array = np.asarray(tensor.numpy()).astype(np.float32)
            node.attributes["value"] = ir.AttrTensor("value", ir.tensor(array))


def _cast_input(graph: ir.Graph, value: ir.Value, dtype: ir.DataType, taken: set[str]) -> None:
    cast = ir.node("Cast", [value], {"to": ir.DataType.FLOAT.value}, name=f"{value.name}_widened")
    result = cast.outputs[0]
    result.name = numbered(f"{value.name}_float32", taken)
    taken.add(result.name)
    result.shape, result.type = value.shape, ir.TensorType(ir.DataType.FLOAT)
    value.type = ir.TensorType(dtype)
    for use in list(value.uses()):
        if use.node is not cast:
            use.node.replace_input_with(use.idx, result)
    graph.insert_before(graph[0], cast) if len(graph) else graph.append(cast)


def _cast_output(graph: ir.Graph, index: int, dtype: ir.DataType, taken: set[str]) -> None:
    value = graph.outputs[index]
    name, producer = value.name or "", value.producer()
    cast = ir.node("Cast", [value], {"to": dtype.value}, name=f"{name}_narrowed")
    result = cast.outputs[0]
    value.name = numbered(f"{name}_float32", taken)
    taken.add(value.name)
    result.name, result.shape, result.type = name, value.shape, ir.TensorType(dtype)
    if producer is not None:
        stamp_origin(cast, producer)
    graph.append(cast)
    graph.outputs[index] = result
