"""Replacing one node of a graph by others, in place, with names, origins and annotations kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.ir.annotations import (
    precision_of,
    quant_of,
    reason_of,
    set_precision,
    set_quant,
    stamp_origin,
)
from compressor.ir.quant import QuantParams
from exporters.tflite.dialect import DIALECT, Shape, Unsupported, new_constant, shape_of

_PREDICATES = frozenset(
    {"Equal", "NotEqual", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsNaN", "IsInf"}
)


def result_type(op_type: str, inputs: Sequence[ir.Value]) -> ir.DataType | None:
    """Return the type of an elementwise result: booleans, or that of what it computes on."""
    if op_type in _PREDICATES:
        return ir.DataType.BOOL
    return inputs[1 if op_type == "Where" else 0].dtype


class Editor:
    """Builds what replaces *anchor*, just before it; ``replace`` or ``splice`` then finishes.

    New nodes carry the anchor's origin and precision; new values are named after its output.
    """

    def __init__(self, anchor: ir.Node) -> None:
        graph = anchor.graph
        if not isinstance(graph, ir.Graph):
            raise TypeError("only nodes that belong to a graph can be edited")
        self._anchor = anchor
        self._graph: ir.Graph = graph
        self._base = anchor.outputs[0].name or anchor.op_type
        self._made: set[ir.Value] = set()

    def node(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shapes: Sequence[Shape],
        attributes: Mapping[str, Any] | None = None,
        *,
        domain: str = DIALECT,
        dtype: ir.DataType | None = None,
    ) -> Sequence[ir.Value]:
        """Insert a node whose outputs have *shapes*, and return them.

        Outputs are of type *dtype*, else that of the first input.
        """
        if dtype is None:
            first = next(value for value in inputs if value is not None)
            dtype = first.dtype or ir.DataType.FLOAT
        outputs = [self._value(op_type, shape, dtype) for shape in shapes]
        node = ir.node(op_type, inputs, attributes, domain=domain, outputs=outputs)
        node.name = outputs[0].name
        stamp_origin(node, self._anchor)
        set_precision(node, precision_of(self._anchor), reason_of(self._anchor))
        self._graph.insert_before(self._anchor, node)
        return outputs

    def op(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shape: Shape,
        attributes: Mapping[str, Any] | None = None,
        *,
        quant: QuantParams | None = None,
        dtype: ir.DataType | None = None,
    ) -> ir.Value:
        """Insert a dialect node with one output of *shape*, represented as *quant*."""
        output = self.node(op_type, inputs, [shape], attributes, dtype=dtype)[0]
        set_quant(output, quant)
        return output

    def onnx(
        self,
        op_type: str,
        inputs: Sequence[ir.Value | None],
        shape: Shape,
        attributes: Mapping[str, Any] | None = None,
        *,
        dtype: ir.DataType | None = None,
    ) -> ir.Value:
        """Insert an ONNX node that is to be legalized in its turn; one output of *shape*."""
        return self.node(op_type, inputs, [shape], attributes, domain="", dtype=dtype)[0]

    def elementwise(
        self, op_type: str, *inputs: ir.Value, quant: QuantParams | None = None
    ) -> ir.Value:
        """Insert an ONNX elementwise node; the output has the broadcast shape of *inputs*."""
        shape = np.broadcast_shapes(*(shape_of(value) for value in inputs))
        output = self.onnx(op_type, inputs, shape, dtype=result_type(op_type, inputs))
        set_quant(output, quant)
        return output

    def cast(self, value: ir.Value, dtype: ir.DataType) -> ir.Value:
        """Return *value* as *dtype*, itself when it is of that type."""
        if value.dtype == dtype:
            return value
        return self.op("Cast", [value], shape_of(value), {"to": dtype.value}, dtype=dtype)

    def reshape(self, value: ir.Value, shape: Shape) -> ir.Value:
        """Insert a Reshape of *value*, of the same representation."""
        return self.op("Reshape", [value], shape, quant=quant_of(value))

    def transpose(self, value: ir.Value, perm: Shape) -> ir.Value:
        """Insert a Transpose of *value* by *perm*, of the same representation."""
        shape = shape_of(value)
        return self.op(
            "Transpose",
            [value],
            tuple(shape[axis] for axis in perm),
            {"perm": list(perm)},
            quant=quant_of(value),
        )

    def constant(
        self, array: npt.ArrayLike, quant: QuantParams | None = None, name: str = ""
    ) -> ir.Value:
        """Add a constant, called *name* or after the anchor."""
        return new_constant(self._graph, name or f"{self._base}/constant", array, quant)

    def replace(self, *values: ir.Value) -> None:
        """Let *values* stand for the anchor's outputs, under their names, and remove the anchor.

        Raises:
            Unsupported: when an output that no value stands for is read.
        """
        for index, value in enumerate(self._anchor.outputs[len(values) :], len(values)):
            if value.uses() or value.is_graph_output():
                raise Unsupported(f"its output {index} does not exist in TFLite")
        for old, new in zip(self._anchor.outputs, values, strict=False):
            self._stand_in(old, new)
        self._graph.remove(self._anchor, safe=True)

    def _stand_in(self, old: ir.Value, new: ir.Value) -> None:
        fixed = new.is_graph_input() or new.is_initializer() or new.is_graph_output()
        if old.is_graph_output() and fixed:
            new = self.reshape(new, shape_of(old))
        if new in self._made and quant_of(new) is None:
            set_quant(new, quant_of(old))
        if old.is_graph_output() or new in self._made:
            name, old.name = old.name, f"{old.name}/replaced"
            new.name = name
        old.replace_all_uses_with(new, replace_graph_outputs=True)

    def _value(self, op_type: str, shape: Shape, dtype: ir.DataType) -> ir.Value:
        name = f"{self._base}/{op_type.lower()}{len(self._made) or ''}"
        value = ir.Value(name=name, shape=ir.Shape(shape), type=ir.TensorType(dtype))
        self._made.add(value)
        return value
