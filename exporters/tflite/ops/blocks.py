"""DEPTH_TO_SPACE and SPACE_TO_DEPTH; TFLite orders channels as ONNX's ``DCR`` mode does."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import Unsupported, adopt, rank_of, required_input, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import MOVABLE


def _legalize_depth_to_space(node: ir.Node) -> None:
    """Bring channels in ``CRD`` order to ``DCR`` order by picking them in that order."""
    source = required_input(node, 0)
    if rank_of(source) != 4:
        raise Unsupported("DepthToSpace takes images only")
    if node.attributes.get_string("mode", "DCR") == "CRD":
        block, channels = node.attributes.get_int("blocksize", 1), shape_of(source)[1]
        crd = np.arange(channels, dtype=np.int32).reshape(-1, block * block)
        editor = Editor(node)
        indices = editor.constant(crd.T.ravel())
        picked = editor.op(
            "Select", [source, indices], shape_of(source), {"axis": 1}, quant=quant_of(source)
        )
        node.replace_input_with(0, picked)
    adopt(node)


def _legalize_space_to_depth(node: ir.Node) -> None:
    adopt(node)


def _emit_depth_to_space(node: ir.Node, builder: Builder) -> None:
    options = schema.DepthToSpaceOptionsT(blockSize=node.attributes.get_int("blocksize", 1))
    builder.emit(Op.DEPTH_TO_SPACE, node, options=options)


def _emit_space_to_depth(node: ir.Node, builder: Builder) -> None:
    options = schema.SpaceToDepthOptionsT(blockSize=node.attributes.get_int("blocksize", 1))
    builder.emit(Op.SPACE_TO_DEPTH, node, options=options)


LEGALIZE = {
    "DepthToSpace": _legalize_depth_to_space,
    "SpaceToDepth": _legalize_space_to_depth,
}
LOWER = {
    "DepthToSpace": Lowering(
        emit=_emit_depth_to_space, integer=IntegerForm.SHARED, types=MOVABLE, role=Role.SPATIAL
    ),
    "SpaceToDepth": Lowering(
        emit=_emit_space_to_depth, integer=IntegerForm.SHARED, types=MOVABLE, role=Role.SPATIAL
    ),
}
