"""What several families share: activations fused into an operator, spatial padding, 1-D forms."""

from __future__ import annotations

from dataclasses import dataclass

import onnx_ir as ir
from ai_edge_litert import schema_py_generated as schema

from compressor.ir.annotations import quant_of
from exporters.tflite.dialect import Shape, Unsupported, ints, shape_of
from exporters.tflite.editor import Editor

ACTIVATION = "fused_activation"

_ACTIVATIONS = {
    "": schema.ActivationFunctionType.NONE,
    "Relu": schema.ActivationFunctionType.RELU,
    "Relu6": schema.ActivationFunctionType.RELU6,
    "ReluN1To1": schema.ActivationFunctionType.RELU_N1_TO_1,
}
FUSABLE_ACTIVATIONS = frozenset(_ACTIVATIONS) - {""}

_PADDINGS = {"SAME": schema.Padding.SAME, "VALID": schema.Padding.VALID}


def activation_of(node: ir.Node) -> int:
    """Return the TFLite code of the activation fused into *node*."""
    return int(_ACTIVATIONS[node.attributes.get_string(ACTIVATION, "") or ""])


def padding_of(node: ir.Node) -> int:
    """Return the TFLite code of the padding scheme of *node*."""
    return int(_PADDINGS[node.attributes["padding"].as_string()])


@dataclass(frozen=True, kw_only=True)
class Window:
    """A sliding window over the spatial axes, as ONNX describes it.

    Attributes:
        kernel: extent per axis, before dilation.
        stride: step per axis.
        dilation: distance of taps per axis.
        before: elements added in front, per axis.
        after: elements added behind, per axis.
    """

    kernel: Shape
    stride: Shape
    dilation: Shape
    before: Shape
    after: Shape

    def matches_same(self, size: Shape) -> bool:
        """Whether TFLite's SAME pads spatial *size* by exactly these amounts."""
        return all(
            _same_padding(*axis) == pads
            for axis, pads in zip(
                zip(size, self.kernel, self.stride, self.dilation, strict=True),
                zip(self.before, self.after, strict=True),
                strict=True,
            )
        )

    def is_padded(self) -> bool:
        """Whether any element is added."""
        return any(self.before) or any(self.after)

    def over_one_row(self) -> Window:
        """Return this 1-D window as a 2-D one of height 1."""
        return Window(
            kernel=(1, *self.kernel),
            stride=(1, *self.stride),
            dilation=(1, *self.dilation),
            before=(0, *self.before),
            after=(0, *self.after),
        )

    def part(self, first: int, last: int) -> Window:
        """Return the window over the axes from *first* to before *last* alone, without padding."""
        axes = slice(first, last)
        none = (0,) * (last - first)
        return Window(
            kernel=self.kernel[axes],
            stride=self.stride[axes],
            dilation=self.dilation[axes],
            before=none,
            after=none,
        )

    def over_columns(self) -> Window:
        """Return the window over the first axis alone, as a 2-D one of width 1."""
        return Window(
            kernel=(self.kernel[0], 1),
            stride=(self.stride[0], 1),
            dilation=(self.dilation[0], 1),
            before=(0, 0),
            after=(0, 0),
        )


def window_of(node: ir.Node, size: Shape, kernel: Shape, out: Shape) -> Window:
    """Read the window of *node* over spatial *size*, producing spatial size *out*.

    The padding behind is what the last window reads, which may be less than *node* states (a
    stride that does not divide) or more (``ceil_mode``).
    """
    rank = len(size)
    stride = tuple(ints(node, "strides") or [1] * rank)
    dilation = tuple(ints(node, "dilations") or [1] * rank)
    pads = ints(node, "pads") or [0] * (2 * rank)
    auto = node.attributes.get_string("auto_pad", "NOTSET")
    needed = [
        max((o - 1) * s + (k - 1) * d + 1 - i, 0)
        for o, s, k, d, i in zip(out, stride, kernel, dilation, size, strict=True)
    ]
    if auto == "SAME_UPPER":
        before = [total // 2 for total in needed]
    elif auto == "SAME_LOWER":
        before = [total - total // 2 for total in needed]
    elif auto == "VALID":
        before = [0] * rank
    else:
        before = pads[:rank]
    after = [max(total - front, 0) for total, front in zip(needed, before, strict=True)]
    return Window(
        kernel=kernel, stride=stride, dilation=dilation, before=tuple(before), after=tuple(after)
    )


def with_height(editor: Editor, value: ir.Value) -> ir.Value:
    """Return `[N, C, L]` *value* as `[N, C, 1, L]`."""
    batch, channels, length = shape_of(value)
    return editor.reshape(value, (batch, channels, 1, length))


def pad_spatially(editor: Editor, value: ir.Value, window: Window, fill: float = 0.0) -> ir.Value:
    """Pad the spatial axes of *value* by the amounts of *window* with the real number *fill*."""
    shape = shape_of(value)
    before, after = (0, 0, *window.before), (0, 0, *window.after)
    padded = tuple(b + n + a for b, n, a in zip(before, shape, after, strict=True))
    attributes = {"before": list(before), "after": list(after), "fill": fill}
    return editor.op("Pad", [value], padded, attributes, quant=quant_of(value))


def spatial_shape(value: ir.Value) -> Shape:
    """Return the extents of the spatial axes of *value*.

    Raises:
        Unsupported: unless it has one or two of them.
    """
    spatial = shape_of(value)[2:]
    if len(spatial) not in (1, 2):
        raise Unsupported(f"only 1-D and 2-D windows exist, not {len(spatial)}-D")
    return spatial


def reorder_axis(node: ir.Node, order: Shape) -> None:
    """Point the attribute ``axis`` of *node* at where the axis is stored."""
    axis = order.index(node.attributes.get_int("axis", 0))
    node.attributes["axis"] = ir.AttrInt64("axis", axis)


def _same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    out = -(-size // stride)
    total = max((out - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2
