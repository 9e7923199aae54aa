"""LOCAL_RESPONSE_NORMALIZATION: Krizhevsky et al., "ImageNet Classification" (2012).

ONNX divides *alpha* by the number of channels in the window, TFLite does not.
"""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import Unsupported, adopt, rank_of, required_input
from exporters.tflite.ops.protocol import Legalize, Lowering, Role


def _legalize(node: ir.Node) -> None:
    if rank_of(required_input(node, 0)) != 4:
        raise Unsupported("TFLite normalizes the local response of images only")
    if node.attributes.get_int("size", 1) % 2 == 0:
        raise Unsupported("TFLite's window of channels has the same reach on both sides")
    adopt(node)


def _emit(node: ir.Node, builder: Builder) -> None:
    size = node.attributes.get_int("size", 1)
    options = schema.LocalResponseNormalizationOptionsT(
        radius=size // 2,
        bias=node.attributes.get_float("bias", 1.0),
        alpha=node.attributes.get_float("alpha", 0.0001) / size,
        beta=node.attributes.get_float("beta", 0.75),
    )
    builder.emit(Op.LOCAL_RESPONSE_NORMALIZATION, node, options=options)


LEGALIZE: dict[str, Legalize] = {"LRN": _legalize}
LOWER: dict[str, Lowering] = {"LRN": Lowering(emit=_emit, role=Role.SPATIAL)}
