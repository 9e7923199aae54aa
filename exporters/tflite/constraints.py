"""Whether the representation of a node's tensors is one that TFLite's kernels take."""

from __future__ import annotations

import onnx_ir as ir

from compressor.ir.annotations import Precision, precision_of, quant_of
from compressor.ir.quant import IntegerType, QuantParams
from exporters.tflite.dialect import is_constant, is_integer
from exporters.tflite.ops.protocol import IntegerForm, Lowering

_FIXED_OUTPUT = {
    (IntegerForm.LOGISTIC, IntegerType.INT8): QuantParams.per_tensor(
        IntegerType.INT8, 1 / 256, -128
    ),
    (IntegerForm.TANH, IntegerType.INT8): QuantParams.per_tensor(IntegerType.INT8, 1 / 128, 0),
    (IntegerForm.LOGISTIC, IntegerType.INT16): QuantParams.per_tensor(IntegerType.INT16, 2**-15, 0),
    (IntegerForm.TANH, IntegerType.INT16): QuantParams.per_tensor(IntegerType.INT16, 2**-15, 0),
}
# The operators whose kernels take 16-bit activations as well, where they take 8-bit ones.
WIDE = frozenset(
    {
        *("Add", "Sub", "Mul", "Max", "Min"),
        *("Conv2D", "DepthwiseConv2D", "TransposeConv2D", "FullyConnected", "BatchMatMul"),
        *("MaxPool2D", "AveragePool2D", "Mean", "Sum", "Softmax", "Sigmoid", "Tanh"),
        *("Relu", "Relu6", "LeakyRelu", "Exp", "Abs", "Rsqrt"),
        *("ReduceMax", "ReduceMin", "Gelu"),
        *("Reshape", "Transpose", "Slice", "Split", "Select", "Gather", "Concat", "Expand", "Tile"),
        *("Pad", "MirrorPad", "ResizeNearest"),
    }
)
_HYBRID = frozenset({"Conv2D", "DepthwiseConv2D", "FullyConnected"})


def representation_reason(node: ir.Node, lowering: Lowering) -> str | None:
    """Return why *node* cannot compute on its tensors as they are annotated, or None."""
    if node.op_type == "Convert":
        return _wrong_boundary(node.inputs[0]) or _wrong_boundary(node.outputs[0])
    activations = [v for v in node.inputs if v is not None and not is_constant(v)]
    if is_integer(node):
        return _integer_reason(node, activations, lowering.integer)
    if any(quant_of(value) is not None for value in activations):
        return "it reads integers but computes floats, with no Convert between"
    weighted = any(quant_of(value) is not None for value in node.inputs)
    if weighted and precision_of(node) is Precision.DYNAMIC and node.op_type not in _HYBRID:
        return "TFLite has no kernel for it with float activations and integer weights"
    return None


def _integer_reason(node: ir.Node, activations: list[ir.Value], form: IntegerForm) -> str | None:
    if form is IntegerForm.NONE:
        return str(form.value)
    for value in (*activations, *node.outputs):
        if quant_of(value) is None and _is_float(value):
            return f"it computes integers but '{value.name}' is float, with no Convert between"
        if reason := _wrong_activation(value):
            return reason
    out = quant_of(node.outputs[0])
    if out is not None and out.dtype is IntegerType.INT16:
        if node.op_type not in WIDE:
            return "TFLite has no int16 kernel for it"
        if any(_width(value) not in (None, IntegerType.INT16) for value in activations):
            return "it mixes 8-bit and 16-bit activations"
    operands = (*node.inputs, *node.outputs)
    shared = [quant_of(v) for v in operands if v is not None and _is_float(v)]
    if form is IntegerForm.SHARED and any(params != out for params in shared):
        return f"TFLite's int8 kernel demands {form.value}"
    fixed = None if out is None else _FIXED_OUTPUT.get((form, out.dtype))
    if fixed is not None and out != fixed:
        stated = (
            f"an output scale of {_fraction(fixed.scale[0])} and zero point {fixed.zero_point[0]}"
        )
        return f"TFLite's {fixed.dtype.value} kernel demands {stated}"
    return None


def _fraction(scale: float) -> str:
    return f"1/{round(1 / scale)}"


def _width(value: ir.Value) -> IntegerType | None:
    params = quant_of(value)
    return None if params is None else params.dtype


def _wrong_boundary(value: ir.Value | None) -> str | None:
    """Return why a conversion cannot touch *value*; an input or output may be uint8 as well."""
    params = quant_of(value)
    is_public = value is not None and (value.is_graph_input() or value.is_graph_output())
    is_unsigned = params is not None and params.dtype is IntegerType.UINT8
    return None if is_public and is_unsigned else _wrong_activation(value)


def _wrong_activation(value: ir.Value | None) -> str | None:
    params = quant_of(value)
    if params is None or value is None:
        return None
    if params.dtype not in (IntegerType.INT8, IntegerType.INT16) or params.is_per_channel:
        return f"'{value.name}' is not int8 or int16 with one scale"
    if params.dtype is IntegerType.INT16 and any(params.zero_point):
        return f"'{value.name}' is int16 with a zero point, which must be 0"
    return None


def _is_float(value: ir.Value) -> bool:
    return value.dtype in (None, ir.DataType.FLOAT)
