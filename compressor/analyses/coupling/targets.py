"""Shapes that a graph computes from pieces: which of their entries are written down."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.rewrite import constant_of


def can_edit(shape: ir.Value | None, axis: int) -> bool:
    """Whether entry *axis* of the 1-D *shape* is a constant, or one piece of a Concat that is."""
    if shape is None:
        return False
    if constant_of(shape) is not None:
        return True
    found = piece_at(shape, axis)
    return found is not None and can_edit(shape_pieces(shape)[found[0]], found[1])


def piece_at(shape: ir.Value, axis: int) -> tuple[int, int] | None:
    """Return which piece of the Concat that makes *shape* holds entry *axis*, and where in it."""
    for index, piece in enumerate(shape_pieces(shape)):
        length = None if piece.shape is None or len(piece.shape) != 1 else piece.shape[0]
        if not isinstance(length, int):
            return None
        if axis < length:
            return index, axis
        axis -= length
    return None


def shape_pieces(shape: ir.Value) -> list[ir.Value]:
    """Return what the Concat that makes *shape* joins; nothing for other producers."""
    producer = shape.producer()
    if producer is None or producer.op_type != "Concat":
        return []
    return [value for value in producer.inputs if value is not None]
