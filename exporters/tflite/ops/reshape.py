"""Everything that only renames axes is one operator: RESHAPE to the output's shape."""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import Unsupported, adopt, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role


def _legalize(node: ir.Node) -> None:
    source, out = node.inputs[0], node.outputs[0]
    if source is not None and shape_of(source) == shape_of(out):
        Editor(node).replace(source)
        return
    if any(value.uses() or value.is_graph_output() for value in node.outputs[1:]):
        raise Unsupported("its second output does not exist in TFLite")
    node.resize_inputs(1)
    node.resize_outputs(1)
    adopt(node, "Reshape")


def _emit(node: ir.Node, builder: Builder) -> None:
    shape = shape_of(node.outputs[0])
    inputs = [builder.operand(node, 0), builder.shape(shape, node, "shape")]
    builder.emit(Op.RESHAPE, node, inputs, schema.ReshapeOptionsT(newShape=list(shape)))


LEGALIZE = {
    "Reshape": _legalize,
    "Flatten": _legalize,
    "Squeeze": _legalize,
    "Unsqueeze": _legalize,
    "Identity": _legalize,
    "Dropout": _legalize,
}
LOWER = {"Reshape": Lowering(emit=_emit, integer=IntegerForm.SHARED, role=Role.MOVEMENT)}
