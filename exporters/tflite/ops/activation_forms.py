"""Activations that TFLite lacks, written out.

The exponential parts go through ELU, ``exp(x) - 1`` below zero, which cancels nothing and which
runtimes accelerate. The error function comes out of GELU, ``x (1 + erf(x / sqrt 2)) / 2``, of which
it is the only other trace in TFLite; where GELU has its zero, a tiny number stands in for it.

Clevert et al. (ELU, 2015), Klambauer et al. (SELU, 2017), Barron (CELU, 2017), Misra (Mish, 2019).
"""

from __future__ import annotations

import onnx_ir as ir

from exporters.tflite.dialect import adopt
from exporters.tflite.ops.composition import composition
from exporters.tflite.ops.protocol import Legalize, Lowering

_SELU = """
Selu <alpha: float = 1.67326319217681884765625, gamma: float = 1.05070102214813232421875> (x) => (y)
{
  a = Constant <value_float: float = @alpha> ()
  g = Constant <value_float: float = @gamma> ()
  above = Relu (x)
  smooth = Elu (x)
  below = Sub (smooth, above)
  steep = Mul (below, a)
  sum = Add (above, steep)
  y = Mul (sum, g)
}"""

_CELU = """
Celu <alpha: float = 1.0> (x) => (y)
{
  a = Constant <value_float: float = @alpha> ()
  scaled = Div (x, a)
  smooth = Elu (scaled)
  rest = Relu (scaled)
  below = Sub (smooth, rest)
  above = Relu (x)
  steep = Mul (below, a)
  y = Add (above, steep)
}"""

_THRESHOLDED_RELU = """
ThresholdedRelu <alpha: float = 1.0> (x) => (y)
{
  a = Constant <value_float: float = @alpha> ()
  zero = Constant <value_float: float = 0.0> ()
  above = Greater (x, a)
  y = Where (above, x, zero)
}"""

_SOFTSIGN = """
Softsign (x) => (y)
{
  one = Constant <value_float: float = 1.0> ()
  size = Abs (x)
  larger = Add (size, one)
  y = Div (x, larger)
}"""

_MISH = """
Mish (x) => (y)
{
  soft = Softplus (x)
  bounded = Tanh (soft)
  y = Mul (x, bounded)
}"""

_SHRINK = """
Shrink <lambd: float = 0.5, bias: float = 0.0> (x) => (y)
{
  limit = Constant <value_float: float = @lambd> ()
  shift = Constant <value_float: float = @bias> ()
  zero = Constant <value_float: float = 0.0> ()
  negated = Neg (limit)
  below = Less (x, negated)
  above = Greater (x, limit)
  raised = Add (x, shift)
  lowered = Sub (x, shift)
  upper = Where (above, lowered, zero)
  y = Where (below, raised, upper)
}"""

_ERF = """
Erf (x) => (y)
{
  root_two = Constant <value_float: float = 1.41421356237> ()
  tiny = Constant <value_float: float = 1e-20> ()
  two = Constant <value_float: float = 2.0> ()
  one = Constant <value_float: float = 1.0> ()
  size = Abs (x)
  scaled = Mul (size, root_two)
  guarded = Max (scaled, tiny)
  smooth = Gelu (guarded)
  share = Div (smooth, guarded)
  doubled = Mul (share, two)
  positive = Sub (doubled, one)
  sign = Sign (x)
  y = Mul (positive, sign)
}"""

_ELU = """
Elu <alpha: float = 1.0> (x) => (y)
{
  a = Constant <value_float: float = @alpha> ()
  smooth = edgec.tflite.Elu (x)
  above = Relu (x)
  below = Sub (smooth, above)
  steep = Mul (below, a)
  y = Add (above, steep)
}"""
_steep_elu = composition(_ELU)


def _legalize_elu(node: ir.Node) -> None:
    """Keep the form that TFLite has; another slope below zero scales that part alone."""
    if node.attributes.get_float("alpha", 1.0) == 1.0:
        adopt(node)
    else:
        _steep_elu(node)


LEGALIZE: dict[str, Legalize] = {
    "Elu": _legalize_elu,
    "Selu": composition(_SELU),
    "Celu": composition(_CELU),
    "ThresholdedRelu": composition(_THRESHOLDED_RELU),
    "Softsign": composition(_SOFTSIGN),
    "Mish": composition(_MISH),
    "Shrink": composition(_SHRINK),
    "Erf": composition(_ERF),
}
LOWER: dict[str, Lowering] = {}
