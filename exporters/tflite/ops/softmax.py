"""Softmax and log-softmax; TFLite's work along the last axis."""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import adopt, normalize_axis, rank_of, required_input, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering


def _legalize(node: ir.Node) -> None:
    """Put the axis last; the layout pass makes the Transposes around a channel axis vanish."""
    source = required_input(node, 0)
    rank = rank_of(source)
    axis = normalize_axis(node.attributes.get_int("axis", -1), rank)
    if axis == rank - 1:
        adopt(node)
        return
    editor = Editor(node)
    to_last = (*(a for a in range(rank) if a != axis), axis)
    back = tuple(to_last.index(a) for a in range(rank))
    moved = editor.transpose(source, to_last)
    result = editor.op(node.op_type, [moved], shape_of(moved), quant=quant_of(node.outputs[0]))
    editor.replace(editor.transpose(result, back))


def _emit_softmax(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.SOFTMAX, node, options=schema.SoftmaxOptionsT(beta=1.0))


def _emit_log_softmax(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.LOG_SOFTMAX, node, options=schema.LogSoftmaxOptionsT())


LEGALIZE = {"Softmax": _legalize, "LogSoftmax": _legalize}
LOWER = {
    "Softmax": Lowering(emit=_emit_softmax, integer=IntegerForm.LOGISTIC),
    "LogSoftmax": Lowering(emit=_emit_log_softmax),
}
