"""TRANSPOSE."""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import adopt, ints, rank_of, required_input, set_ints
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import MOVABLE


def _legalize(node: ir.Node) -> None:
    """Spell out the default permutation, which reverses the axes."""
    if not ints(node, "perm"):
        set_ints(node, "perm", list(reversed(range(rank_of(required_input(node, 0))))))
    adopt(node)


def _check(node: ir.Node) -> str | None:
    rank = rank_of(node.outputs[0])
    return None if rank <= 6 else f"TFLite TRANSPOSE takes up to 6 axes, not {rank}"


def _emit(node: ir.Node, builder: Builder) -> None:
    inputs = [builder.operand(node, 0), builder.shape(ints(node, "perm"), node, "perm")]
    builder.emit(Op.TRANSPOSE, node, inputs, schema.TransposeOptionsT())


LEGALIZE = {"Transpose": _legalize}
LOWER = {
    "Transpose": Lowering(
        emit=_emit, check=_check, integer=IntegerForm.SHARED, types=MOVABLE, role=Role.MOVEMENT
    )
}
