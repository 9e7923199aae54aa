"""What a file of this folder defines: how its ONNX operators become TFLite operators.

A family module has two tables. ``LEGALIZE`` maps ONNX operators to functions that rewrite one
node into the dialect (or into simpler ONNX nodes). ``LOWER`` maps dialect operators to a
``Lowering``: which integer forms exist, what the layout pass may do, and how to write it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import onnx_ir as ir

from compressor.layout.rules import Role
from exporters.tflite.builder import Builder
from exporters.tflite.dialect import Shape
from exporters.tflite.types import FLOATS


class IntegerForm(Enum):
    """What TFLite's int8 kernel demands of the parameters of inputs and outputs."""

    NONE = "TFLite has no int8 kernel for it"
    FREE = "any parameters"
    SHARED = "one scale and zero point for inputs and output"
    LOGISTIC = "an output scale of 1/256 and zero point -128"
    TANH = "an output scale of 1/128 and zero point 0"


def accept(_node: ir.Node) -> str | None:
    """Refuse nothing."""
    return None


def keep(_node: ir.Node, _order: Shape) -> None:
    """Nothing to adapt: the operator names no axes and has no constants."""


@dataclass(frozen=True, kw_only=True)
class Lowering:
    """How one dialect operator is written.

    Attributes:
        emit: write a checked node into the builder.
        check: the reason why a node cannot be written, or None.
        integer: what the int8 kernel demands.
        role: which axis orders it can compute in.
        reorder: adapt axes and constants to an order in which stored axis ``i`` is the source's
            axis ``order[i]``; for the roles ``SPATIAL`` and ``ANY``.
        types: what the kernel computes on, where a tensor is not quantized.
        typed: the inputs that are of this type, all when None; the others have types of their own.
    """

    emit: Callable[[ir.Node, Builder], None]
    check: Callable[[ir.Node], str | None] = accept
    integer: IntegerForm = IntegerForm.NONE
    role: Role = Role.SOURCE
    reorder: Callable[[ir.Node, Shape], None] = keep
    types: frozenset[ir.DataType] = FLOATS
    typed: tuple[int, ...] | None = None


Legalize = Callable[[ir.Node], None]

__all__ = ["IntegerForm", "Legalize", "Lowering", "Role", "accept", "keep"]
