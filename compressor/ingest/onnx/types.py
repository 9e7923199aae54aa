"""Types and shapes fit together: what ONNX's own inference derives contradicts nothing."""

from __future__ import annotations

from pathlib import Path

import onnx
import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest.onnx.reading import unreadable
from compressor.ingest.onnx.tensors import byte_size
from compressor.ingest.onnx.walk import graphs_of, nodes_of
from compressor.ir.probe import survives
from compressor.ir.shapes import may_abort

_SMALL = 1024  # bytes of the largest constant whose content inference may want: shapes, axes


def forget_defaults(proto: onnx.ModelProto) -> None:
    """Take the constants out of the inputs of *proto*: nobody feeds what has a value."""
    for graph in graphs_of(proto):
        constants = {tensor.name for tensor in graph.initializer}
        fed = [value for value in graph.input if value.name not in constants]
        del graph.input[:]
        graph.input.extend(fed)


def check_interface(proto: onnx.ModelProto, path: Path) -> None:
    """Refuse inputs and outputs that are not tensors of a known type."""
    for value in (*proto.graph.input, *proto.graph.output):
        kind = value.type.WhichOneof("value")
        if kind not in (None, "tensor_type"):
            raise EdgecError(
                Code.MODEL_UNSUPPORTED,
                f"'{value.name}' is a {str(kind).removesuffix('_type')}, not a tensor",
                where=str(path),
                expected="tensors as inputs and outputs",
                hint="split the model before it builds sequences, maps or optionals",
            )
    known = {int(dtype) for dtype in ir.DataType} - {0}
    for value in proto.graph.input:
        if value.type.tensor_type.elem_type not in known:
            raise unreadable(path, f"input '{value.name}' has no known type")
    for value in proto.graph.output:
        if value.type.tensor_type.elem_type not in known | {0}:
            raise unreadable(path, f"output '{value.name}' has no known type")


def check_types(proto: onnx.ModelProto, path: Path) -> None:
    """Drop what *proto* says of inner values, and raise ``MODEL_UNREADABLE`` on contradictions."""
    for graph in graphs_of(proto):
        del graph.value_info[:]
    skeleton = _skeleton(proto)

    def infer() -> None:
        onnx.shape_inference.infer_shapes(
            skeleton, check_type=True, strict_mode=True, data_prop=True
        )

    if may_abort({node.op_type for node in nodes_of(proto.graph)}) and not survives(infer):
        raise unreadable(path, "shape inference cannot handle it")
    try:
        infer()
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError) as error:
        raise unreadable(path, _first_reason(str(error))) from error


def _first_reason(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "its types and shapes contradict each other"


def _skeleton(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return *proto* with large constants as inputs, so that no weight is copied."""
    skeleton = onnx.ModelProto(ir_version=proto.ir_version)
    skeleton.opset_import.extend(proto.opset_import)
    skeleton.functions.extend(proto.functions)
    graph = skeleton.graph
    graph.name = proto.graph.name
    graph.node.extend(proto.graph.node)
    for node in graph.node:
        _write_defaults(node, proto)
    graph.input.extend(proto.graph.input)
    graph.output.extend(proto.graph.output)
    for tensor in proto.graph.initializer:
        if _is_small(tensor):
            graph.initializer.append(tensor)
        else:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    return skeleton


def _is_small(tensor: onnx.TensorProto) -> bool:
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return False
    return tensor.data_type == onnx.TensorProto.STRING or byte_size(tensor) <= _SMALL


def _write_defaults(node: onnx.NodeProto, proto: onnx.ModelProto) -> None:
    """State the axes that a MeanVarianceNormalization leaves to their default.

    Inference goes into the function that defines it, and there fails to find them.
    """
    if node.op_type == "MeanVarianceNormalization" and not node.attribute and not node.domain:
        opset = next(entry.version for entry in proto.opset_import if not entry.domain)
        schema = onnx.defs.get_schema(node.op_type, opset)
        node.attribute.append(schema.attributes["axes"].default_value)
