"""Operators on bits. TFLite has exclusive-or and shifts to the right; the others follow from these.

Two numbers agree in sum: ``a + b = (a xor b) + 2 (a and b)``. Done on the numbers without their
lowest bits it cannot overflow; the product of the lowest bits is the rest.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import Unsupported, adopt, constant_of, required_input
from exporters.tflite.editor import Editor
from exporters.tflite.ops.binary import align_operands, reorder_constants
from exporters.tflite.ops.composition import composition
from exporters.tflite.ops.protocol import Legalize, Lowering, Role
from exporters.tflite.types import WHOLE, type_of

_SHARED_BITS = """
  one = Constant <value_int: int = 1> ()
  two = Constant <value_int: int = 2> ()
  upper_a = edgec.tflite.RightShift (a, one)
  upper_b = edgec.tflite.RightShift (b, one)
  sum = Add (upper_a, upper_b)
  apart = BitwiseXor (upper_a, upper_b)
  upper = Sub (sum, apart)
  even_a = Mul (upper_a, two)
  even_b = Mul (upper_b, two)
  lowest_a = Sub (a, even_a)
  lowest_b = Sub (b, even_b)
  lowest = Mul (lowest_a, lowest_b)
  shared = Add (upper, lowest)"""

_AND = f"BitwiseAnd (a, b) => (y) {{ {_SHARED_BITS} y = Identity (shared) }}"
_OR = f"""
BitwiseOr (a, b) => (y)
{{
  {_SHARED_BITS}
  different = BitwiseXor (a, b)
  y = Add (different, shared)
}}"""
_NOT = """
BitwiseNot (x) => (y)
{
  ones = Constant <value_int: int = -1> ()
  y = Sub (ones, x)
}"""


def _legalize_xor(node: ir.Node) -> None:
    align_operands(node)
    adopt(node)


def _legalize_shift(node: ir.Node) -> None:
    """Shift to the right, or multiply by a power of two: bits beyond the type are dropped alike."""
    source, distance = required_input(node, 0), required_input(node, 1)
    if type_of(source) in WHOLE:
        raise Unsupported("a shift of signed numbers is not defined by the standard")
    align_operands(node)
    if node.attributes.get_string("direction", "") == "RIGHT":
        node.attributes.clear()
        adopt(node, "RightShift")
        return
    by = constant_of(distance)
    if by is None:
        raise Unsupported("the distance of a shift to the left is computed at run time")
    editor = Editor(node)
    factor = editor.constant((1 << by.astype(np.uint64)).astype(by.dtype))
    editor.replace(editor.elementwise("Mul", source, factor))


def _emit_xor(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.BITWISE_XOR, node, options=schema.BitwiseXorOptionsT())


def _emit_shift(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.RIGHT_SHIFT, node, options=schema.RightShiftOptionsT())


LEGALIZE: dict[str, Legalize] = {
    "BitwiseAnd": composition(_AND),
    "BitwiseOr": composition(_OR),
    "BitwiseXor": _legalize_xor,
    "BitwiseNot": composition(_NOT),
    "BitShift": _legalize_shift,
}
_INT32 = frozenset({ir.DataType.INT32})
LOWER: dict[str, Lowering] = {
    "BitwiseXor": Lowering(emit=_emit_xor, role=Role.ANY, reorder=reorder_constants, types=_INT32),
    "RightShift": Lowering(
        emit=_emit_shift, role=Role.ANY, reorder=reorder_constants, types=_INT32
    ),
}
