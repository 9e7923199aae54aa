"""The shape that each TFLite operator makes, from its inputs and options, as kernels compute it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from exporters.tflite.versions import Table

Op = schema.BuiltinOperator


@dataclass(frozen=True, kw_only=True)
class Use:
    """One operator of a graph.

    Attributes:
        op: its builtin code.
        inputs: the tensors it reads, None for absent ones.
        outputs: the tensors it makes.
        options: its options table.
        buffers: the buffers of the file.
    """

    op: int
    inputs: Sequence[Table]
    outputs: Sequence[Table]
    options: Table
    buffers: Sequence[Table]

    def contents(self, index: int) -> npt.NDArray[np.int32]:
        """Return the constant int32 input *index*, in its shape."""
        tensor = self.inputs[index]
        data = self.buffers[tensor.buffer].data
        return np.frombuffer(data, np.int32).reshape(tensor.shape)


Shape = Sequence[int]


def expected_shape(use: Use) -> Shape | None:
    """Return the shape of the first output of *use*; None for operators without a rule."""
    rule = _RULES.get(use.op)
    return None if rule is None else [int(extent) for extent in rule(use)]


def _unchanged(use: Use) -> Shape:
    return list(use.inputs[0].shape)


def _broadcast(use: Use) -> Shape:
    return np.broadcast_shapes(*(tuple(tensor.shape) for tensor in use.inputs))


def _reshaped(use: Use) -> Shape:
    """Any shape of as many elements."""
    source, out = use.inputs[0].shape, use.outputs[0].shape
    return list(out if np.prod(source) == np.prod(out) else source)


def _windowed(use: Use, kernel: Shape, dilation: Shape, channels: int) -> Shape:
    batch, *size = use.inputs[0].shape[:3]
    stride = (use.options.strideH, use.options.strideW)
    if use.options.padding == schema.Padding.SAME:
        out = [-(-extent // step) for extent, step in zip(size, stride, strict=True)]
    else:
        out = [
            (extent - (taps - 1) * apart - 1) // step + 1
            for extent, taps, apart, step in zip(size, kernel, dilation, stride, strict=True)
        ]
    return [batch, *out, channels]


def _convolved(use: Use) -> Shape:
    dilation = (use.options.dilationHFactor, use.options.dilationWFactor)
    return _windowed(use, use.inputs[1].shape[1:3], dilation, use.inputs[2].shape[0])


def _pooled(use: Use) -> Shape:
    kernel = (use.options.filterHeight, use.options.filterWidth)
    return _windowed(use, kernel, (1, 1), use.inputs[0].shape[3])


def _connected(use: Use) -> Shape:
    units, width = use.inputs[1].shape
    if use.options.keepNumDims:
        return [*use.inputs[0].shape[:-1], units]
    return [int(np.prod(use.inputs[0].shape)) // width, units]


def _multiplied(use: Use) -> Shape:
    left, right = list(use.inputs[0].shape), list(use.inputs[1].shape)
    columns = right[-2] if use.options.adjY else right[-1]
    return [*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], columns]


def _concatenated(use: Use) -> Shape:
    shape = list(use.inputs[0].shape)
    shape[use.options.axis] = sum(tensor.shape[use.options.axis] for tensor in use.inputs)
    return shape


def _transposed(use: Use) -> Shape:
    return [use.inputs[0].shape[axis] for axis in use.contents(1)]


def _padded(use: Use) -> Shape:
    return list(np.asarray(use.inputs[0].shape) + use.contents(1).sum(axis=1))


def _reduced(use: Use) -> Shape:
    axes, keeps = use.contents(1).tolist(), use.options.keepDims
    extents = enumerate(use.inputs[0].shape)
    return [1 if axis in axes else n for axis, n in extents if keeps or axis not in axes]


def _sliced(use: Use) -> Shape:
    """The size that is stated, or any where it is computed at run time."""
    known = use.buffers[use.inputs[2].buffer].data is not None
    return list(use.contents(2) if known else use.outputs[0].shape)


def _gathered(use: Use) -> Shape:
    shape, axis = list(use.inputs[0].shape), use.options.axis
    return [*shape[:axis], *use.inputs[1].shape, *shape[axis + 1 :]]


def _resized(use: Use) -> Shape:
    batch, _, _, channels = use.inputs[0].shape
    return [batch, *use.contents(1), channels]


def _tiled(use: Use) -> Shape:
    return list(np.asarray(use.inputs[0].shape) * use.contents(1))


_ELEMENTWISE = (
    Op.ABS, Op.CAST, Op.CEIL, Op.COS, Op.DENSIFY, Op.DEQUANTIZE, Op.ELU, Op.EXP, Op.FLOOR, Op.GELU,
    Op.HARD_SWISH, Op.LEAKY_RELU, Op.LOG, Op.LOGICAL_NOT, Op.LOGISTIC, Op.LOG_SOFTMAX, Op.NEG,
    Op.QUANTIZE, Op.RELU, Op.RELU6, Op.RELU_0_TO_1, Op.RELU_N1_TO_1, Op.ROUND, Op.RSQRT, Op.SIGN,
    Op.SIN, Op.SOFTMAX, Op.SQRT, Op.TANH,
)  # fmt: skip
_BROADCASTING = (
    Op.ADD, Op.DIV, Op.EQUAL, Op.GREATER, Op.GREATER_EQUAL, Op.LESS, Op.LESS_EQUAL,
    Op.LOGICAL_AND, Op.LOGICAL_OR, Op.MAXIMUM, Op.MINIMUM, Op.MUL, Op.POW, Op.PRELU, Op.SELECT_V2,
    Op.SUB,
)  # fmt: skip

_RULES: dict[int, Callable[[Use], Shape]] = {
    **dict.fromkeys(_ELEMENTWISE, _unchanged),
    **dict.fromkeys(_BROADCASTING, _broadcast),
    **dict.fromkeys((Op.CONV_2D, Op.DEPTHWISE_CONV_2D), _convolved),
    **dict.fromkeys((Op.AVERAGE_POOL_2D, Op.MAX_POOL_2D), _pooled),
    **dict.fromkeys((Op.PAD, Op.PADV2, Op.MIRROR_PAD), _padded),
    **dict.fromkeys((Op.RESIZE_BILINEAR, Op.RESIZE_NEAREST_NEIGHBOR), _resized),
    **dict.fromkeys((Op.MEAN, Op.SUM, Op.REDUCE_MAX, Op.REDUCE_MIN, Op.REDUCE_PROD), _reduced),
    Op.BATCH_MATMUL: _multiplied,
    Op.CONCATENATION: _concatenated,
    Op.FULLY_CONNECTED: _connected,
    Op.GATHER: _gathered,
    Op.RESHAPE: _reshaped,
    Op.SLICE: _sliced,
    Op.TILE: _tiled,
    Op.TRANSPOSE: _transposed,
}
