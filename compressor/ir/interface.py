"""The interface of a model: what a caller feeds and gets. Every later stage must keep it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:  # runtimes' child processes need the types below, not half a second of onnx_ir
    import onnx_ir as ir

    from compressor.ir.quant import QuantParams

Dimension = int | str


class Layout(Enum):
    """Meaning of the axes of an image-like tensor; NONE for everything else."""

    NCHW = "NCHW"
    NHWC = "NHWC"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class TensorSpec:
    """One input or output: name, numpy dtype name, shape (str = symbolic), layout.

    *quantization* says which real numbers the integers of an integer input or output stand for.
    """

    name: str
    dtype: str
    shape: tuple[Dimension, ...]
    layout: Layout = Layout.NONE
    quantization: QuantParams | None = None

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type of the tensor."""
        return np.dtype(self.dtype)

    @property
    def is_real(self) -> bool:
        """Whether the tensor means real numbers: floats, or integers with a scale."""
        return self.numpy.kind == "f" or self.quantization is not None

    def concrete(self, batch: int = 1) -> tuple[int, ...]:
        """Return the shape with every symbolic dimension set to *batch*."""
        return tuple(d if isinstance(d, int) else batch for d in self.shape)

    def accepts(self, shape: tuple[int, ...]) -> bool:
        """Whether an array of *shape* may be fed here."""
        return len(shape) == len(self.shape) and all(
            isinstance(want, str) or want == have
            for want, have in zip(self.shape, shape, strict=True)
        )

    def __str__(self) -> str:
        dims = ", ".join(map(str, self.shape))
        layout = "" if self.layout is Layout.NONE else f" {self.layout.value}"
        return f"{self.name}: {self.dtype}[{dims}]{layout}"

    def to_json(self) -> dict[str, Any]:
        """Return the specification as a JSON-ready mapping."""
        found: dict[str, Any] = {
            "name": self.name,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "layout": self.layout.value,
        }
        if self.quantization is not None:
            found["scale"] = self.quantization.scale[0]
            found["zero_point"] = self.quantization.zero_point[0]
        return found


@dataclass(frozen=True, kw_only=True)
class Interface:
    """All inputs and outputs of a model, in order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the interface as a JSON-ready mapping."""
        return {
            "inputs": [spec.to_json() for spec in self.inputs],
            "outputs": [spec.to_json() for spec in self.outputs],
        }

    def input(self, name: str) -> TensorSpec:
        """Return the input called *name*; KeyError when there is none."""
        for spec in self.inputs:
            if spec.name == name:
                return spec
        raise KeyError(name)


def interface_of(model: ir.Model) -> Interface:
    """Read the interface off *model*; image layouts are inferred from what consumes them."""
    return Interface(
        inputs=tuple(_spec(value, _layout_from_consumers(value)) for value in model.graph.inputs),
        outputs=tuple(_spec(value, _layout_from_producer(value)) for value in model.graph.outputs),
    )


def _spec(value: ir.Value, layout: Layout) -> TensorSpec:
    """Return what a caller sees of *value*: of an annotated one, its integers."""
    from compressor.ir.annotations import quant_of  # imports onnx_ir, which *value* has needed

    dims: list[Dimension] = []
    for index, dim in enumerate(value.shape or ()):
        dims.append(dim if isinstance(dim, int) else (dim.value or f"{value.name}_dim{index}"))
    dtype = value.dtype.numpy().name if value.dtype else "float32"
    params = quant_of(value) or _stated_at_the_edge(value)
    return TensorSpec(
        name=value.name or "",
        dtype=dtype if params is None else params.dtype.value,
        shape=tuple(dims),
        layout=layout,
        quantization=params,
    )


def _stated_at_the_edge(value: ir.Value) -> QuantParams | None:
    """Return the scale of an integer input that is only dequantized, or output that is quantized.

    ONNX files say so in nodes, which stay where the integers are not those of the arithmetic.
    """
    from compressor.ir.quant import IntegerType, QuantParams

    producer = value.producer()
    nodes = [producer] if producer is not None else list(value.consumers())
    wanted = "DequantizeLinear" if producer is None else "QuantizeLinear"
    if not nodes or any(node is None or node.op_type != wanted for node in nodes):
        return None
    kinds = {kind.value: kind for kind in IntegerType}
    dtype = kinds.get(value.dtype.numpy().name) if value.dtype else None
    found = {_scale_and_zero(node) for node in nodes if node is not None}
    stated = next(iter(found)) if len(found) == 1 else None
    return None if stated is None or dtype is None else QuantParams.per_tensor(dtype, *stated)


def _scale_and_zero(node: ir.Node) -> tuple[float, int] | None:
    """Return the constants of a Q or DQ node with one scale, None for any other."""
    values = [v.const_value for v in node.inputs[1:3] if v is not None]
    arrays = [tensor.numpy() for tensor in values if tensor is not None]
    if len(arrays) < len(node.inputs) - 1 or not arrays or any(a.size != 1 for a in arrays):
        return None
    return float(arrays[0].item()), int(arrays[1].item()) if len(arrays) > 1 else 0


_SPATIAL = frozenset({"Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool"})
_ELEMENTWISE = {"Cast", "Relu", "Clip", "Add", "Sub", "Mul", "Div", "Pad", "BatchNormalization"}
_REPRESENTATION = {"Convert", "QuantizeLinear", "DequantizeLinear"}
_TRANSPARENT = frozenset(_ELEMENTWISE | _REPRESENTATION)
_IMAGE_KEEPING = frozenset({"Sigmoid", "Tanh", "Softmax", "LeakyRelu", "Resize", "Concat"})


def _layout_from_consumers(value: ir.Value, depth: int = 8) -> Layout:
    """Follow *value* to the first spatial operator: directly NCHW, through a Transpose NHWC.

    With one channel, a Reshape that moves its axis does the same as the Transpose.
    """
    if depth == 0 or value.shape is None or len(value.shape) != 4:
        return Layout.NONE
    for node in value.consumers():
        if node.op_type in _SPATIAL:
            return Layout.NCHW
        if _moves_channels_first(node):
            return Layout.NHWC
        if node.op_type in _TRANSPARENT:
            found = _layout_from_consumers(node.outputs[0], depth - 1)
            if found is not Layout.NONE:
                return found
    return Layout.NONE


def _layout_from_producer(value: ir.Value, depth: int = 8) -> Layout:
    """Follow *value* back to what made it an image: directly NCHW, through a Transpose NHWC."""
    node = value.producer()
    if depth == 0 or node is None or value.shape is None or len(value.shape) != 4:
        return Layout.NONE
    if node.op_type in _SPATIAL:
        return Layout.NCHW
    if node.op_type == "Transpose":
        return Layout.NHWC if _moves_channels_last(node) else Layout.NONE
    if node.op_type not in _TRANSPARENT | _IMAGE_KEEPING:
        return Layout.NONE
    layouts = (_layout_from_producer(v, depth - 1) for v in node.inputs if v is not None)
    return next((layout for layout in layouts if layout is not Layout.NONE), Layout.NONE)


def _moves_channels_last(node: ir.Node) -> bool:
    """Whether the Transpose *node* makes NHWC of an image that is NCHW before."""
    perm, source = list(node.attributes.get_ints("perm", [])), node.inputs[0]
    return perm == [0, 2, 3, 1] and (
        source is not None and _layout_from_producer(source) is Layout.NCHW
    )


def _moves_channels_first(node: ir.Node) -> bool:
    if node.op_type == "Transpose":
        return list(node.attributes.get_ints("perm", [])) == [0, 3, 1, 2]
    source, result = node.inputs[0], node.outputs[0]
    if node.op_type != "Reshape" or source is None or source.shape is None or result.shape is None:
        return False
    height, width, channels = list(source.shape)[1:]
    if channels != 1 or list(result.shape)[1:] != [1, height, width]:
        return False
    return all(reader.op_type in _SPATIAL for reader in result.consumers())
