"""What the families write with: ONNX nodes in the place of one TFLite operator.

Values keep TFLite's axis order; spatial operators are surrounded by Transposes, which the layout
pass removes. Every value has the static shape of its tensor while the graph is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ingest.tflite.contents import Array, Operator, Shape, Tensor
from compressor.ingest.tflite.flatbuffer import Malformed
from compressor.ingest.tflite.graph import Graph
from compressor.ingest.tflite.quantization import signed
from compressor.ingest.tflite.refusal import unsupported
from compressor.ir.annotations import (
    CONVERT,
    EDGEC_DOMAIN,
    Precision,
    quant_of,
    set_precision,
    set_quant,
)
from compressor.ir.quant import QuantParams
from compressor.ir.rewrite import constant_of

OptionsTable = TypeVar("OptionsTable")

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_ACTIVATIONS: Mapping[int, tuple[str, tuple[float, ...]]] = {
    1: ("Relu", ()),
    2: ("Clip", (-1.0, 1.0)),
    3: ("Clip", (0.0, 6.0)),
    4: ("Tanh", ()),
}


class Emitter:
    """Writes what stands for one operator."""

    def __init__(self, operator: Operator, graph: Graph) -> None:
        self.operator = operator
        self._graph = graph
        self._made = 0

    @property
    def params(self) -> QuantParams | None:
        """What the integers of the first output mean; None when it is float."""
        params = self.out().params
        return None if params is None else signed(params)

    def out(self, index: int = 0) -> Tensor:
        """Return output tensor *index*; ``Malformed`` when there is none."""
        if index >= len(self.operator.outputs):
            raise Malformed(f"operator {self.operator.index} has no output {index}")
        return self.operator.outputs[index]

    def tensor(self, index: int) -> Tensor:
        """Return input tensor *index*; ``Malformed`` when it is absent."""
        found = self.operator.inputs[index] if index < len(self.operator.inputs) else None
        if found is None:
            raise Malformed(f"operator {self.operator.index} lacks its input {index}")
        return found

    def options(self, kind: type[OptionsTable]) -> OptionsTable:
        """Return the options, all default when the file has none; ``Malformed`` for others."""
        found = self.operator.options
        if found is None:
            return kind()
        if not isinstance(found, kind):
            raise Malformed(f"operator {self.operator.index} has options of another operator")
        return found

    def refuse(self, why: str) -> Exception:
        """Return the error that says why this use of the operator cannot be read."""
        return unsupported(self.operator, why)

    def input(self, index: int) -> ir.Value:
        """Return input *index*, represented as the file has it."""
        return self._graph.value(self.tensor(index))

    def optional(self, index: int) -> ir.Value | None:
        """Return input *index*, or None when it is absent."""
        inputs = self.operator.inputs
        return self.input(index) if index < len(inputs) and inputs[index] is not None else None

    def real(self, index: int) -> ir.Value:
        """Return input *index* as float: converted when it is integer."""
        return self.convert(self.input(index), None)

    def operand(self, index: int) -> ir.Value:
        """Return input *index* as integers when the result is, else as float."""
        return self.real(index) if self.params is None else self.input(index)

    def shared(self, index: int) -> ir.Value:
        """Return input *index* in the representation of the result."""
        return self.convert(self.input(index), self.params)

    def array(self, index: int, what: str) -> Array:
        """Return the plain constant at input *index*; refuses one that is computed."""
        array = constant_of(self._graph.value(self.tensor(index)))
        if array is None:
            raise self.refuse(f"{what} is computed at run time")
        return array

    def ints(self, index: int, what: str) -> list[int]:
        """Return the constant integers at input *index*, flat."""
        return [int(number) for number in self.array(index, what).ravel()]

    def constant(self, array: npt.ArrayLike, params: QuantParams | None = None) -> ir.Value:
        """Add a constant; its real values when *params* says how it is stored."""
        return self._graph.constant(f"{self.out().name}/constant", np.asarray(array), params)

    def emit(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shape: Shape,
        attributes: Mapping[str, Any] | None = None,
        *,
        params: QuantParams | None = None,
        dtype: ir.DataType | None = None,
        domain: str = "",
    ) -> ir.Value:
        """Add a node with one output of *shape*, of the first input's type unless given."""
        values = self.several(op_type, inputs, [shape], attributes, dtype=dtype, domain=domain)
        set_quant(values[0], params)
        producer = values[0].producer()
        if params is not None and producer is not None and domain != EDGEC_DOMAIN:
            set_precision(producer, Precision.INTEGER)
        return values[0]

    def several(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shapes: Sequence[Shape],
        attributes: Mapping[str, Any] | None = None,
        *,
        dtype: ir.DataType | None = None,
        domain: str = "",
    ) -> Sequence[ir.Value]:
        """Add a node with outputs of *shapes*, all float or plain numbers."""
        if dtype is None:
            first = next(value for value in inputs if value is not None)
            dtype = first.dtype or ir.DataType.FLOAT
        self._made += 1
        name = f"{self.out().name}/{op_type.lower()}{self._made}"
        return self._graph.add(
            op_type, inputs, shapes, attributes, dtype=dtype, domain=domain, name=name
        )

    def transpose(self, value: ir.Value, perm: Shape) -> ir.Value:
        """Return *value* transposed; a constant is transposed now."""
        if tuple(perm) == tuple(range(len(perm))):
            return value
        array, params = constant_of(value), quant_of(value)
        if array is not None:
            return self._graph.transposed(value, perm, moved(params, perm))
        shape = tuple(static_shape(value)[axis] for axis in perm)
        return self.emit("Transpose", [value], shape, {"perm": list(perm)}, params=params)

    def reshape(
        self, value: ir.Value, shape: Shape, target: Sequence[int] | None = None
    ) -> ir.Value:
        """Return *value* in *shape*; *target* is what the node states, -1 for an open axis."""
        array, params = constant_of(value), quant_of(value)
        if array is not None and (params is None or params.axis is None):
            return self._graph.derived(value, array.reshape(shape), params)
        stated = self.constant(np.asarray(shape if target is None else target, np.int64))
        return self.emit("Reshape", [value, stated], shape, params=params)

    def to_shape_of(self, value: ir.Value, tensor: Tensor) -> ir.Value:
        """Return *value* in the shape of *tensor*, with its batch axis open when the model's is."""
        if static_shape(value) == tensor.shape:
            return value
        return self.reshape(value, tensor.shape, self._graph.open_shape(tensor))

    def rows(self, value: ir.Value, width: int) -> ir.Value:
        """Return *value* as `[rows, width]`."""
        shape = static_shape(value)
        if len(shape) == 2 and shape[1] == width:
            return value
        return self.reshape(value, (prod(shape) // max(width, 1), width), (-1, width))

    def aligned(self, value: ir.Value, rank: int) -> ir.Value:
        """Return *value* with as many axes as its broadcasting partners, so that axes agree."""
        shape = static_shape(value)
        if len(shape) in (0, rank) or prod(shape) == 1:
            return value
        params = quant_of(value)
        array, full = constant_of(value), (1,) * (rank - len(shape)) + shape
        if array is not None and params is not None and params.axis is not None:
            widened = with_axis(params, rank - array.ndim)
            return self._graph.derived(value, array.reshape(full), widened)
        return self.reshape(value, full)

    def cast(self, value: ir.Value, dtype: ir.DataType) -> ir.Value:
        """Return *value* as numbers of *dtype*."""
        if value.dtype == dtype:
            return value
        return self.emit("Cast", [value], static_shape(value), {"to": dtype}, dtype=dtype)

    def convert(self, value: ir.Value, params: QuantParams | None) -> ir.Value:
        """Return *value* represented as *params*; plain numbers and constants stay as they are."""
        if quant_of(value) == params or value.dtype != ir.DataType.FLOAT:
            return value
        array, shape = constant_of(value), static_shape(value)
        if array is not None:
            return value if params is None else self._graph.derived(value, array, params)
        return self.emit(CONVERT, [value], shape, params=params, domain=EDGEC_DOMAIN)

    def activated(self, value: ir.Value, code: int) -> ir.Value:
        """Return *value* behind the fused activation with TFLite's *code*."""
        if not code:
            return value
        if code not in _ACTIVATIONS:
            raise self.refuse(f"its fused activation {code} has no ONNX form")
        op_type, limits = _ACTIVATIONS[code]
        bounds = [self.constant(np.float32(limit)) for limit in limits]
        params = quant_of(value)
        return self.emit(op_type, [value, *bounds], static_shape(value), params=params)

    def finish(self, value: ir.Value, index: int = 0) -> None:
        """Let *value* be output *index*, in its representation and under its name."""
        tensor = self.out(index)
        if static_shape(value) != tensor.shape:
            raise Malformed(
                f"operator {self.operator.index} ({self.operator.name}) makes shape "
                f"{list(static_shape(value))}, the file says {list(tensor.shape)}"
            )
        params = None if tensor.params is None else signed(tensor.params)
        wanted = ir.DataType.FLOAT if params else ir.DataType.from_numpy(tensor.dtype)
        self._graph.bind(tensor, self.convert(self.cast(value, wanted), params))


def static_shape(value: ir.Value) -> Shape:
    """Return the extents of *value*; all are known while the graph is built."""
    if value.shape is None or not value.shape.is_static():
        raise Malformed(f"the shape of '{value.name}' is not known")
    return tuple(int(extent) for extent in value.shape)  # type: ignore[arg-type]


def moved(params: QuantParams | None, perm: Shape) -> QuantParams | None:
    """Return *params* for a tensor transposed by *perm*."""
    if params is None or params.axis is None:
        return params
    return with_axis(params, perm.index(params.axis) - params.axis)


def with_axis(params: QuantParams, step: int) -> QuantParams:
    """Return *params* with the channel axis moved by *step*."""
    axis = None if params.axis is None else params.axis + step
    return QuantParams(
        dtype=params.dtype, scale=params.scale, zero_point=params.zero_point, axis=axis
    )
