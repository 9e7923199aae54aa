"""Division, remainders and powers, by type.

TFLite's DIV truncates integers as ONNX does, in 32 bits; its FLOOR_MOD takes the divisor's sign, as
Python's ``%`` does, for integers and reals. ``fmod`` has the sign of the dividend instead.
"""

from __future__ import annotations

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import Unsupported, adopt, required_input
from exporters.tflite.editor import Editor
from exporters.tflite.ops.binary import align_operands, reorder_constants
from exporters.tflite.ops.composition import composition
from exporters.tflite.ops.operands import activation_of
from exporters.tflite.ops.protocol import IntegerForm, Legalize, Lowering, Role
from exporters.tflite.types import FLOATS, NUMBERS, WHOLE, type_of

_FMOD = """
Mod (a, b) => (y)
{
  size_a = Abs (a)
  size_b = Abs (b)
  rest = edgec.tflite.FloorMod (size_a, size_b)
  sign = Sign (a)
  y = Mul (rest, sign)
}"""

_fmod = composition(_FMOD)


def _legalize_div(node: ir.Node) -> None:
    align_operands(node)
    adopt(node)


def _legalize_mod(node: ir.Node) -> None:
    align_operands(node)
    signed = node.attributes.get_int("fmod", 0) == 1
    dtype = type_of(required_input(node, 0))
    if dtype == ir.DataType.FLOAT and not signed:
        raise Unsupported("a remainder of real numbers needs fmod=1")
    node.attributes.clear()
    if signed and not _never_negative(dtype):
        _fmod(node)
        return
    adopt(node, "FloorMod")


def _never_negative(dtype: ir.DataType) -> bool:
    return dtype.name.startswith("UINT")


def _legalize_pow(node: ir.Node) -> None:
    """Compute in the type of the base; a base of integers with a real exponent as reals."""
    base, exponent = required_input(node, 0), required_input(node, 1)
    if type_of(base) == type_of(exponent):
        align_operands(node)
        adopt(node)
        return
    editor = Editor(node)
    computed = type_of(base) if type_of(base) not in WHOLE else ir.DataType.FLOAT
    power = editor.elementwise("Pow", editor.cast(base, computed), editor.cast(exponent, computed))
    editor.replace(editor.cast(power, type_of(base)))


def _emit_div(node: ir.Node, builder: Builder) -> None:
    options = schema.DivOptionsT(fusedActivationFunction=activation_of(node))
    builder.emit(Op.DIV, node, options=options)


def _emit_floor_mod(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.FLOOR_MOD, node, options=schema.FloorModOptionsT())


def _emit_pow(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.POW, node, options=schema.PowOptionsT())


LEGALIZE: dict[str, Legalize] = {
    "Div": _legalize_div,
    "Mod": _legalize_mod,
    "Pow": _legalize_pow,
}
_INT32 = frozenset({ir.DataType.INT32})
LOWER: dict[str, Lowering] = {
    "Div": Lowering(
        emit=_emit_div,
        integer=IntegerForm.NONE,
        role=Role.ANY,
        reorder=reorder_constants,
        types=FLOATS | _INT32,
    ),
    "FloorMod": Lowering(
        emit=_emit_floor_mod, role=Role.ANY, reorder=reorder_constants, types=NUMBERS
    ),
    "Pow": Lowering(
        emit=_emit_pow, role=Role.ANY, reorder=reorder_constants, types=FLOATS | _INT32
    ),
}
