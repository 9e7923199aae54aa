"""Changes of representation: QUANTIZE and DEQUANTIZE (``edgec::Convert``), and CAST."""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import adopt, required_input
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import INTERFACE


def _legalize_convert(node: ir.Node) -> None:
    source, out = required_input(node, 0), node.outputs[0]
    if quant_of(source) == quant_of(out):
        Editor(node).replace(source)
        return
    adopt(node)


def _legalize_cast(node: ir.Node) -> None:
    source, out = required_input(node, 0), node.outputs[0]
    if source.dtype == out.dtype:
        Editor(node).replace(source)
        return
    adopt(node)


def _emit_convert(node: ir.Node, builder: Builder) -> None:
    if quant_of(node.outputs[0]) is None:
        builder.emit(Op.DEQUANTIZE, node, options=schema.DequantizeOptionsT())
    else:
        builder.emit(Op.QUANTIZE, node, options=schema.QuantizeOptionsT())


def _emit_cast(node: ir.Node, builder: Builder) -> None:
    source, out = builder.operand(node, 0), builder.activation(node.outputs[0])
    options = schema.CastOptionsT(
        inDataType=builder.type_of(source), outDataType=builder.type_of(out)
    )
    builder.raw(Op.CAST, [source], [out], options)


LEGALIZE = {"Convert": _legalize_convert, "Cast": _legalize_cast}
LOWER = {
    "Convert": Lowering(emit=_emit_convert, integer=IntegerForm.FREE, role=Role.ANY),
    "Cast": Lowering(emit=_emit_cast, role=Role.ANY, types=INTERFACE),
}
