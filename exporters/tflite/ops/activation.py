"""Activations: the clamps that TFLite names, smooth ones it has, and compositions for the rest.

Hard sigmoid is ``relu6(x + 3) / 6`` (Howard et al., "Searching for MobileNetV3", 2019) in the
general form ``clip(alpha x + beta, 0, 1)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.builder import Builder, Op
from exporters.tflite.dialect import (
    adopt,
    constant_input,
    constant_of,
    optional_input,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.binary import align_operands, reorder_constants
from exporters.tflite.ops.protocol import IntegerForm, Lowering, Role
from exporters.tflite.types import FLOATS, type_of
from exporters.tflite.versions import Table

CLAMPS: dict[str, tuple[float, float]] = {
    "Relu": (0.0, np.inf),
    "Relu6": (0.0, 6.0),
    "ReluN1To1": (-1.0, 1.0),
    "Relu0To1": (0.0, 1.0),
}
_BY_RANGE = {limits: name for name, limits in CLAMPS.items()}


def _legalize(node: ir.Node) -> None:
    adopt(node)


def _legalize_relu(node: ir.Node) -> None:
    """Keep it for reals; of integers it is the larger one of each and zero."""
    source = required_input(node, 0)
    if type_of(source) in FLOATS:
        adopt(node)
        return
    editor = Editor(node)
    zero = editor.constant(np.zeros((), type_of(source).numpy()))
    editor.replace(editor.elementwise("Max", source, zero))


def _legalize_clip(node: ir.Node) -> None:
    if type_of(required_input(node, 0)) not in FLOATS or not _has_constant_limits(node):
        _clip_by_extrema(node)
        return
    low, high = _limit(node, 1, -np.inf), _limit(node, 2, np.inf)
    named = _BY_RANGE.get((low, high))
    if named:
        node.resize_inputs(1)
        adopt(node, named)
        return
    editor = Editor(node)
    source, params = required_input(node, 0), quant_of(node.outputs[0])
    if quant_of(source) != params:
        source = editor.op("Convert", [source], shape_of(source), quant=params)
    for op_type, limit in (("Max", low), ("Min", high)):
        if np.isfinite(limit) and not is_implied(params, low, high):
            constant = editor.constant(np.float32(limit), params)
            source = editor.elementwise(op_type, source, constant, quant=params)
    editor.replace(source)


def _has_constant_limits(node: ir.Node) -> bool:
    limits = [optional_input(node, index) for index in (1, 2)]
    return all(value is None or constant_of(value) is not None for value in limits)


def _clip_by_extrema(node: ir.Node) -> None:
    editor, result = Editor(node), required_input(node, 0)
    for index, op_type in ((1, "Max"), (2, "Min")):
        limit = optional_input(node, index)
        if limit is not None:
            result = editor.elementwise(op_type, result, limit)
    editor.replace(result)


def is_implied(params: QuantParams | None, low: float, high: float) -> bool:
    """Whether integers of *params* cannot represent anything below *low* or above *high*.

    Half a step of slack absorbs the rounding of the scale to float32.
    """
    if params is None:
        return False
    lowest, highest = params.range()
    slack = params.scale[0] / 2
    return low - slack <= lowest and highest <= high + slack


def _limit(node: ir.Node, index: int, absent: float) -> float:
    value = optional_input(node, index)
    if value is None:
        return absent
    limit = float(constant_input(node, index, "the limit").item())
    return absent if abs(limit) >= float(np.finfo(np.float32).max) else limit


def _legalize_hard_sigmoid(node: ir.Node) -> None:
    """Rewrite as ``relu6(6 alpha x + 6 beta) / 6``; usually 6 alpha is 1 and 6 beta is 3."""
    editor = Editor(node)
    slope = 6 * node.attributes.get_float("alpha", 0.2)
    offset = 6 * node.attributes.get_float("beta", 0.5)
    source, params = required_input(node, 0), quant_of(node.outputs[0])
    if not np.isclose(slope, 1.0):
        steep = _times(quant_of(source), slope)
        source = editor.elementwise("Mul", source, _scalar(editor, slope, params), quant=steep)
    six = _times(params, 6)  # so that the division by 6 changes no integer
    shifted = editor.elementwise("Add", source, _scalar(editor, offset, params), quant=six)
    clamped = editor.op("Relu6", [shifted], shape_of(shifted), quant=six)
    editor.replace(editor.elementwise("Mul", clamped, _scalar(editor, 1 / 6, params)))


def _times(params: QuantParams | None, factor: float) -> QuantParams | None:
    """Return the parameters under which the same integers stand for *factor* times as much."""
    if params is None:
        return None
    scale = params.scale[0] * factor
    return QuantParams.per_tensor(params.dtype, scale, params.zero_point[0])


def _scalar(editor: Editor, real: float, like: QuantParams | None) -> ir.Value:
    """Add the constant *real*; for an integer graph as the largest integer."""
    quant = None
    if like is not None:
        quant = QuantParams.per_tensor(like.dtype, real / like.dtype.high, 0)
    return editor.constant(np.float32(real), quant)


def _legalize_softplus(node: ir.Node) -> None:
    """Rewrite as ``max(x, 0) + log(1 + exp(-|x|))``, which never overflows."""
    editor = Editor(node)
    source = required_input(node, 0)
    magnitude = editor.elementwise("Neg", editor.elementwise("Abs", source))
    one = editor.constant(np.float32(1.0))
    grown = editor.elementwise("Add", editor.elementwise("Exp", magnitude), one)
    positive = editor.elementwise("Relu", source)
    editor.replace(editor.elementwise("Add", positive, editor.elementwise("Log", grown)))


def _legalize_prelu(node: ir.Node) -> None:
    align_operands(node)
    adopt(node)


def _check_prelu(node: ir.Node) -> str | None:
    if constant_of(node.inputs[1]) is None:
        return "the slope of PRelu is computed at run time"
    params = quant_of(node.inputs[1])
    return "TFLite PRELU has one scale for all slopes" if params and params.is_per_channel else None


def _emit_elu(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.ELU, node)


def _emit_leaky(node: ir.Node, builder: Builder) -> None:
    alpha = node.attributes.get_float("alpha", 0.01)
    builder.emit(Op.LEAKY_RELU, node, options=schema.LeakyReluOptionsT(alpha=alpha))


def _emit_gelu(node: ir.Node, builder: Builder) -> None:
    approximate = node.attributes.get_string("approximate", "none") == "tanh"
    builder.emit(Op.GELU, node, options=schema.GeluOptionsT(approximate=approximate))


def _emit_prelu(node: ir.Node, builder: Builder) -> None:
    builder.emit(Op.PRELU, node)


def _lowering(op: int, options: Callable[[], Table] | None = None) -> Lowering:
    def emit(node: ir.Node, builder: Builder) -> None:
        builder.emit(op, node, options=options and options())

    return Lowering(emit=emit, integer=IntegerForm.FREE, role=Role.ANY)


LEGALIZE = {
    "Relu": _legalize_relu,
    "Clip": _legalize_clip,
    "HardSigmoid": _legalize_hard_sigmoid,
    "HardSwish": _legalize,
    "LeakyRelu": _legalize,
    "Gelu": _legalize,
    "PRelu": _legalize_prelu,
    "Softplus": _legalize_softplus,
}
LOWER = {
    "Relu": _lowering(Op.RELU),
    "Relu6": _lowering(Op.RELU6),
    "ReluN1To1": _lowering(Op.RELU_N1_TO_1),
    "Relu0To1": _lowering(Op.RELU_0_TO_1),
    "HardSwish": _lowering(Op.HARD_SWISH, schema.HardSwishOptionsT),
    "Elu": Lowering(emit=_emit_elu, integer=IntegerForm.FREE, role=Role.ANY),
    "LeakyRelu": Lowering(emit=_emit_leaky, integer=IntegerForm.FREE, role=Role.ANY),
    "Gelu": Lowering(emit=_emit_gelu, integer=IntegerForm.FREE, role=Role.ANY),
    "PRelu": Lowering(
        emit=_emit_prelu,
        check=_check_prelu,
        integer=IntegerForm.FREE,
        role=Role.ANY,
        reorder=reorder_constants,
    ),
}
