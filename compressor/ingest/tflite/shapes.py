"""The file's shapes held against ONNX's own: a contradiction would mislead every later stage."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
import onnx_ir as ir

from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ir.annotations import is_convert

_ARITHMETIC_ELEMENTS = 1024


def check_shapes(model: ir.Model) -> None:
    """Check that every operator makes the shape and type that the file states for its result.

    Raises:
        Malformed: naming the first value that does not.
    """
    copy = model.clone()
    _forget_outputs(copy)
    for node in [n for n in copy.graph if is_convert(n)]:
        node.op_type, node.domain = "Identity", ""  # it keeps shape and type
    _feed_large_constants(copy)
    try:
        inferred = onnx.shape_inference.infer_shapes(
            ir.to_proto(copy), check_type=True, strict_mode=True, data_prop=True
        )
    except onnx.shape_inference.InferenceError as error:
        raise Malformed(f"its operators contradict their tensors: {_brief(error)}") from error
    found = {info.name: info for info in (*inferred.graph.value_info, *inferred.graph.output)}
    for node in model.graph:
        for value in node.outputs:
            info = found.get(value.name or "")
            if info is not None and not _agrees(value, info.type.tensor_type):
                raise Malformed(
                    f"'{value.name}' ({node.op_type}) does not have the shape {value.shape} or the "
                    f"type {value.dtype} that the file says"
                )


def forget_shapes(model: ir.Model) -> None:
    """Drop the shapes of all values between inputs and outputs."""
    for node in model.graph:
        for value in node.outputs:
            if not value.is_graph_output():
                value.shape = None


def _forget_outputs(model: ir.Model) -> None:
    for node in model.graph:
        for value in node.outputs:
            value.shape = None


def _feed_large_constants(model: ir.Model) -> None:
    """Make inputs of the constants that no shape depends on, so that they are not copied."""
    graph = model.graph
    for name, value in list(graph.initializers.items()):
        if value.const_value is not None and value.const_value.size > _ARITHMETIC_ELEMENTS:
            graph.initializers.pop(name)
            value.const_value = None
            graph.inputs.append(value)


def _agrees(value: ir.Value, found: onnx.TypeProto.Tensor) -> bool:
    if found.elem_type and value.dtype is not None and found.elem_type != int(value.dtype):
        return False
    if not found.HasField("shape") or value.shape is None:
        return True
    return len(found.shape.dim) == len(value.shape) and all(
        have is None or have == stated  # what is stated to be open must not be fixed
        for stated, have in zip(value.shape, _extents(found.shape), strict=True)
    )


def _extents(shape: onnx.TensorShapeProto) -> Iterator[int | None]:
    for dim in shape.dim:
        yield dim.dim_value if dim.HasField("dim_value") else None


def _brief(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
