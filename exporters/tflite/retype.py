"""Giving each node a type that its kernel has; see ``types``."""

from __future__ import annotations

from collections.abc import Mapping

import onnx_ir as ir

from compressor.ir.annotations import quant_of
from exporters.tflite.bounds import hull, integer_bounds
from exporters.tflite.dialect import DIALECT, constant_of, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Lowering
from exporters.tflite.ops.tables import lowerings
from exporters.tflite.types import Bounds, computing_type, is_plain, type_of


def retype(graph: ir.Graph) -> None:
    """Surround the nodes of *graph* whose kernels lack their type by casts, where that is exact."""
    bounds = integer_bounds(graph)
    for node in graph:
        if node.domain == DIALECT and any(is_plain(value) for value in node.outputs):
            _retype(node, lowerings()[node.op_type], bounds)


def typed_inputs(node: ir.Node, lowering: Lowering) -> list[int]:
    """Return the positions of the inputs of *node* that share the type it computes on."""
    chosen = range(len(node.inputs)) if lowering.typed is None else lowering.typed
    return [i for i in chosen if i < len(node.inputs) and is_plain(node.inputs[i])]


def type_reason(node: ir.Node, lowering: Lowering) -> str | None:
    """Return why *node* cannot compute on the type of its operands, or None."""
    for index in typed_inputs(node, lowering):
        value = node.inputs[index]
        if value is not None and type_of(value) not in lowering.types:
            return f"TFLite's kernel does not take {type_of(value).name.lower()}"
    return None


def _retype(node: ir.Node, lowering: Lowering, bounds: Mapping[ir.Value, Bounds]) -> None:
    positions = typed_inputs(node, lowering)
    sources = [value for i in positions if (value := node.inputs[i]) is not None]
    if not sources:
        return
    dtype = type_of(sources[0])
    results = [value for value in node.outputs if type_of(value) == dtype]
    known = hull([bounds.get(value) for value in (*sources, *results)])
    chosen = computing_type(dtype, lowering.types, known)
    if chosen is None or chosen == dtype:
        return
    for index in positions:
        node.replace_input_with(index, _cast(Editor(node), node.inputs[index], chosen))
    for value in results:
        _cast_back(node, value, chosen, dtype)


def _cast(editor: Editor, value: ir.Value | None, dtype: ir.DataType) -> ir.Value | None:
    array = constant_of(value)
    if value is None or array is None:
        return value and editor.cast(value, dtype)
    return editor.constant(array.astype(dtype.numpy()), quant_of(value), value.name or "")


def _cast_back(node: ir.Node, value: ir.Value, made: ir.DataType, dtype: ir.DataType) -> None:
    """Let *node* make *value* as *made*, and a CAST behind it bring it back under its name."""
    graph = node.graph
    if not isinstance(graph, ir.Graph):
        return
    name, value.name = value.name, f"{value.name}/{made.name.lower()}"
    value.type = ir.TensorType(made)
    result = ir.Value(name=name, shape=ir.Shape(shape_of(value)), type=ir.TensorType(dtype))
    cast = ir.node("Cast", [value], {"to": dtype.value}, domain=DIALECT, outputs=[result])
    cast.name = name
    cast.meta.update(node.meta)
    for use in list(value.uses()):
        if use.node is not cast:
            use.node.replace_input_with(use.idx, result)
    for index, output in enumerate(graph.outputs):
        if output is value:
            graph.outputs[index] = result
    graph.insert_after(node, cast)
