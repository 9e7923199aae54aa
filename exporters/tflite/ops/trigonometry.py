"""Trigonometric and hyperbolic functions by those that TFLite has: SIN, COS, ATAN2, EXP, LOG.

Inverse functions go through ATAN2, which is accurate in every quadrant. The hyperbolic sine uses
ELU, ``exp(x) - 1`` below zero, so that small arguments lose no digits.
"""

from __future__ import annotations

import onnx_ir as ir

from exporters.tflite.builder import Builder, Op
from exporters.tflite.ops.composition import composition
from exporters.tflite.ops.protocol import Legalize, Lowering, Role

_TAN = "Tan (x) => (y) { s = Sin (x) c = Cos (x) y = Div (s, c) }"

_ATAN = """
Atan (x) => (y)
{
  number = Equal (x, x)
  ones = Cast <to: int = 1> (number)
  y = edgec.tflite.Atan2 (x, ones)
}"""

_OTHER_LEG = """
  one = Constant <value_float: float = 1.0> ()
  over = Add (one, x)
  under = Sub (one, x)
  square = Mul (over, under)
  leg = Sqrt (square)"""

_ASIN = f"Asin (x) => (y) {{ {_OTHER_LEG} y = edgec.tflite.Atan2 (x, leg) }}"
_ACOS = f"Acos (x) => (y) {{ {_OTHER_LEG} y = edgec.tflite.Atan2 (leg, x) }}"

_SINH = """
Sinh (x) => (y)
{
  two = Constant <value_float: float = 2.0> ()
  size = Abs (x)
  negative = Neg (size)
  fallen = Elu (negative)
  doubled = Add (fallen, two)
  product = Mul (fallen, doubled)
  grown = Exp (size)
  magnitude = Mul (product, grown)
  half = Div (magnitude, two)
  sign = Sign (x)
  signed = Mul (half, sign)
  y = Neg (signed)
}"""

_COSH = """
Cosh (x) => (y)
{
  two = Constant <value_float: float = 2.0> ()
  negative = Neg (x)
  grown = Exp (x)
  fallen = Exp (negative)
  sum = Add (grown, fallen)
  y = Div (sum, two)
}"""

_ASINH = """
Asinh (x) => (y)
{
  one = Constant <value_float: float = 1.0> ()
  size = Abs (x)
  square = Mul (size, size)
  larger = Add (square, one)
  root = Sqrt (larger)
  sum = Add (size, root)
  magnitude = Log (sum)
  sign = Sign (x)
  y = Mul (magnitude, sign)
}"""

_ACOSH = """
Acosh (x) => (y)
{
  one = Constant <value_float: float = 1.0> ()
  over = Add (x, one)
  under = Sub (x, one)
  square = Mul (over, under)
  root = Sqrt (square)
  sum = Add (x, root)
  y = Log (sum)
}"""

_ATANH = """
Atanh (x) => (y)
{
  one = Constant <value_float: float = 1.0> ()
  half = Constant <value_float: float = 0.5> ()
  over = Add (one, x)
  under = Sub (one, x)
  ratio = Div (over, under)
  log = Log (ratio)
  y = Mul (log, half)
}"""


def _emit_atan2(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.ATAN2, node)


LEGALIZE: dict[str, Legalize] = {
    "Tan": composition(_TAN),
    "Atan": composition(_ATAN),
    "Asin": composition(_ASIN),
    "Acos": composition(_ACOS),
    "Sinh": composition(_SINH),
    "Cosh": composition(_COSH),
    "Asinh": composition(_ASINH),
    "Acosh": composition(_ACOSH),
    "Atanh": composition(_ATANH),
}
LOWER: dict[str, Lowering] = {"Atan2": Lowering(emit=_emit_atan2, role=Role.ANY)}
