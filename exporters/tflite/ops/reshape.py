"""Everything that only renames axes is one operator: RESHAPE to the output's shape."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    Unsupported,
    adopt,
    constant_input,
    optional_input,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import MOVABLE


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


def _legalize_dropout(node: ir.Node) -> None:
    """Pass everything on, as a trained model does; the mask then says that all is kept."""
    editor, source = Editor(node), required_input(node, 0)
    training = optional_input(node, 2)
    if training is not None and constant_input(node, 2, "the mode").item():
        raise Unsupported("it is in training mode, and random")
    kept = editor.constant(np.ones(shape_of(source), np.bool_))
    editor.replace(*(source, kept)[: len(node.outputs)])


def _emit(node: ir.Node, builder: Builder) -> None:
    shape = shape_of(node.outputs[0])
    inputs = [builder.operand(node, 0)]
    if shape:  # a vector without elements would count as one that is computed at run time
        inputs.append(builder.shape(shape, node, "shape"))
    builder.emit(Op.RESHAPE, node, inputs, schema.ReshapeOptionsT(newShape=list(shape)))


LEGALIZE = {
    "Reshape": _legalize,
    "Flatten": _legalize,
    "Squeeze": _legalize,
    "Unsqueeze": _legalize,
    "Identity": _legalize,
    "Dropout": _legalize_dropout,
}
LOWER = {
    "Reshape": Lowering(emit=_emit, integer=IntegerForm.SHARED, types=MOVABLE, role=Role.MOVEMENT)
}
