"""From a canonical model to a private copy with batch 1 and every shape known."""

from __future__ import annotations

import numpy as np
import onnx
import onnx_ir as ir
from onnx.reference import ReferenceEvaluator
from onnx_ir.passes.common import LiftConstantsToInitializersPass, ShapeInferencePass

from compressor.ir.annotations import is_convert, quant_of
from exporters.tflite.dialect import Array, constant_of, new_constant
from exporters.tflite.ops.suppression import most_detections

_STAND_IN = "Identity"
_ARITHMETIC_ELEMENTS = 1024
_FILLED_ELEMENTS = 1 << 24
_RANDOM = frozenset({"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"})


def has_open_batch(model: ir.Model) -> bool:
    """Whether some input of *model* takes any number of samples."""
    shapes = [value.shape for value in model.graph.inputs]
    return any(shape is not None and not isinstance(shape[0], int) for shape in shapes if shape)


def prepare(model: ir.Model, batch: int = 1) -> ir.Model:
    """Return a copy of *model* for *batch* samples; constants are shared with it.

    Other symbolic dimensions than the first axis of inputs are 1.

    Arithmetic on the batch size, which could not be folded before, is folded now.
    """
    copy = model.clone()
    LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(copy)
    for value in copy.graph.inputs:
        if value.shape is not None:
            value.shape = ir.Shape(
                dim if isinstance(dim, int) else (1 if axis else batch)
                for axis, dim in enumerate(value.shape)
            )
    for value in copy.graph.initializers.values():
        if value.const_value is not None:
            # folding leaves the symbols of the source
            value.shape = ir.Shape(value.const_value.numpy().shape)
    _bound_detections(copy)
    _infer_shapes(copy)
    while _fold_shape_arithmetic(copy):
        _infer_shapes(copy)
    for node in copy.graph:
        for value in node.outputs:
            if value.shape is None and not value.uses() and not value.is_graph_output():
                value.shape = ir.Shape(())  # nothing of it is ever made
    return copy


def _bound_detections(model: ir.Model) -> None:
    """Give tables of detections the length that they can have at most."""
    for node in model.graph:
        if node.op_type == "NonMaxSuppression":
            most = most_detections(node)
            if most is not None:
                node.outputs[0].shape = ir.Shape((most, 3))


def _of_open_length(graph: ir.Graph) -> set[ir.Value]:
    """Return what is computed from tables of detections, whose true length nobody knows yet."""
    found: set[ir.Value] = set()
    for node in graph:
        if node.op_type == "NonMaxSuppression" or not found.isdisjoint(node.inputs):
            found.update(node.outputs)
    return found


def _infer_shapes(model: ir.Model) -> None:
    """Derive the shapes of all values anew; ``Convert`` keeps the shape of its input."""
    for node in model.graph:
        for value in node.outputs:
            if value.shape is not None and not value.shape.is_static():
                value.shape = None
    converts = [node for node in model.graph if is_convert(node)]
    named = [(node, node.op_type, node.domain) for node in converts]
    for node in converts:
        node.op_type, node.domain = _STAND_IN, ""
    ShapeInferencePass(check_type=False, strict_mode=False, data_prop=True)(model)
    for node, op_type, domain in named:
        node.op_type, node.domain = op_type, domain


def _fold_shape_arithmetic(model: ir.Model) -> bool:
    """Replace ``Shape`` nodes and what is computed from small constants; whether any was found."""
    graph, folded = model.graph, False
    opset = graph.opset_imports.get("", 21)
    open_length = _of_open_length(graph)
    for node in graph:
        if not open_length.isdisjoint(node.inputs):
            continue
        array = _known_result(node, opset)
        if array is None:
            continue
        result = node.outputs[0]
        constant = new_constant(graph, result.name or node.op_type, array)
        if result.is_graph_output():
            result.name, constant.name = f"{result.name}/computed", result.name
        result.replace_all_uses_with(constant, replace_graph_outputs=True)
        graph.remove(node, safe=True)
        folded = True
    return folded


def _known_result(node: ir.Node, opset: int) -> Array | None:
    """Return what *node* computes when that follows from a shape or from small constants."""
    if len(node.outputs) != 1 or is_convert(node) or node.op_type in _RANDOM:
        return None
    if quant_of(node.outputs[0]) is not None:
        return None
    if node.op_type == "Constant" or (node.op_type == "ConstantOfShape" and _is_small(node)):
        return _evaluate(node, opset, _known_inputs(node))
    source = node.inputs[0] if node.inputs else None
    if node.op_type in ("Shape", "Size") and source is not None:
        return _shape(node, source)
    known = _known_inputs(node)
    if not known or len(known) < len({value for value in node.inputs if value is not None}):
        return None
    small = all(array.size <= _ARITHMETIC_ELEMENTS for array in known.values())
    return _evaluate(node, opset, known) if small else None


def _known_inputs(node: ir.Node) -> dict[str, Array]:
    arrays: dict[str, Array] = {}
    for value in node.inputs:
        if value is not None and (array := constant_of(value)) is not None:
            arrays[value.name or ""] = array
    return arrays


def _is_small(node: ir.Node) -> bool:
    """Whether the size of what *node* fills is known, and bounded."""
    extents = constant_of(node.inputs[0])
    return extents is not None and float(np.prod(extents.astype(float))) <= _FILLED_ELEMENTS


def _shape(node: ir.Node, source: ir.Value) -> Array | None:
    if source.shape is None or not source.shape.is_static():
        return None
    extents = np.asarray(source.shape.numpy(), np.int64)
    first, last = node.attributes.get_int("start", 0), node.attributes.get_int("end", None)
    if node.op_type == "Size":
        return np.asarray(np.prod(extents), np.int64)
    return extents[first:last]


def _evaluate(node: ir.Node, opset: int, inputs: dict[str, Array]) -> Array:
    """Run *node* alone in ONNX's reference implementation, which fails where numpy.choose does."""
    if node.op_type == "GatherElements":
        return _gathered_elements(node, inputs)
    result = node.outputs[0].name or ""
    graph = onnx.helper.make_graph(
        [ir.to_proto(node)],
        "arithmetic",
        [onnx.ValueInfoProto(name=name) for name in inputs],
        [onnx.ValueInfoProto(name=result)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    return np.asarray(next(iter(ReferenceEvaluator(model).run([result], inputs))))


def _gathered_elements(node: ir.Node, inputs: dict[str, Array]) -> Array:
    """Pick elements along one axis; indices may cover a part of the other axes only."""
    data, indices = (inputs[value.name or ""] for value in node.inputs if value is not None)
    axis = node.attributes.get_int("axis", 0) % data.ndim
    covered = tuple(
        slice(None) if other == axis else slice(extent)
        for other, extent in enumerate(indices.shape)
    )
    return np.take_along_axis(data[covered], indices, axis)
