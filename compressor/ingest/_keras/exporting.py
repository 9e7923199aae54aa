"""From a traced graph to an ONNX model with the user's names."""

import logging
import os

import onnx
import onnx_ir as ir
import tf2onnx.convert
from tensorflow.core.framework import graph_pb2

from .._child.refusal import RefusalError
from .converters import CONVERTERS
from .subject import Subject
from .tracing import trace

OPSET = 18  # the newest that tf2onnx writes
BATCH = "batch"
_NO_COPIES = "TF2ONNX_CATCH_ERRORS"  # whatever its value, tf2onnx 1.17 takes it for a no


def export(subject: Subject) -> ir.Model:
    """Trace and convert *subject*; free batch axes are called ``batch``."""
    graph, inputs, outputs = trace(subject)
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    names = [spec.name for spec in subject.inputs]
    renamed = dict(zip((*inputs, *outputs), (*names, *subject.outputs), strict=True))
    try:
        proto = _converted(graph, inputs, outputs, renamed, copying=False)
    except (ValueError, TypeError, LookupError, AttributeError, RuntimeError, AssertionError):
        proto = _converted(graph, inputs, outputs, renamed, copying=True)
    _refuse_unknown(proto)
    model: ir.Model = ir.from_proto(proto)
    _tidy(model, names)
    return model


def _converted(
    graph: graph_pb2.GraphDef,
    inputs: list[str],
    outputs: list[str],
    renamed: dict[str, str],
    *,
    copying: bool,
) -> onnx.ModelProto:
    """Let tf2onnx convert *graph*.

    With *copying* it copies the graph and all weights before each of its rewrites, to undo those
    that fail: a hundred times the time for a model of 200 MB.
    """
    os.environ.pop(_NO_COPIES, None)
    if not copying:
        os.environ[_NO_COPIES] = "1"
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_graph_def(
        graph,
        name="main",
        input_names=inputs,
        output_names=outputs,
        opset=OPSET,
        custom_op_handlers=CONVERTERS,
        tensors_to_rename=renamed,
    )
    return proto


def _refuse_unknown(proto: onnx.ModelProto) -> None:
    """tf2onnx copies what it cannot convert; ONNX has no such operators."""
    known = {schema.name for schema in onnx.defs.get_all_schemas() if not schema.domain}
    unknown = sorted({n.op_type for n in proto.graph.node if not n.domain} - known)
    foreign = sorted({f"{n.domain}.{n.op_type}" for n in proto.graph.node if n.domain})
    if unknown or foreign:
        raise RefusalError(
            "EXPORT_FROM_KERAS_FAILED",
            f"ONNX has no operator for TensorFlow's {', '.join(unknown or foreign)}",
            expected="operators that tf2onnx converts",
            hint="replace the layer that uses it",
        )


def _tidy(model: ir.Model, names: list[str]) -> None:
    """Put inputs in the model's order, and call free batch axes by one name."""
    inputs = sorted(model.graph.inputs, key=lambda value: names.index(value.name or ""))
    model.graph.inputs[:] = inputs
    free = any(value.shape and not isinstance(value.shape[0], int) for value in inputs)
    for value in (*inputs, *model.graph.outputs):
        if value.shape:
            first, *rest = (dim if isinstance(dim, int) else None for dim in value.shape)
            value.shape = ir.Shape([BATCH if first is None and free else first, *rest])
