"""Long short-term memory, with the gates in ONNX's order i, o, f, c.

Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), with the forget gate of Gers et al.
(2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import constant_input, optional_input, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.ops.recurrence import (
    Activation,
    State,
    biases,
    parts,
    product,
    unroll,
    weight_rows,
)

_ACTIVATIONS = ["Sigmoid", "Tanh", "Tanh"]
_PEEPHOLES = 7
_WRITE, _READ, _KEEP = 0, 1, 2


class _Lstm:
    """The weights of one direction; all biases join those of the input."""

    def __init__(
        self, node: ir.Node, editor: Editor, index: int, functions: Sequence[Activation]
    ) -> None:
        self._editor = editor
        self._gate, self._shape, self._show = functions
        self._is_coupled = node.attributes.get_int("input_forget", 0) == 1
        self._peepholes = _peepholes(editor, node, index)
        rows = slice(0, 4 * shape_of(node.inputs[2])[2])
        bias, recurrent = biases(node, index, rows.stop)
        self._input = weight_rows(editor, node, 1, index, rows)
        self._state = weight_rows(editor, node, 2, index, rows)
        self._bias = editor.constant(bias + recurrent)
        self._no_bias = editor.constant(np.zeros_like(bias))

    def project(self, rows: ir.Value) -> tuple[ir.Value, ...]:
        """Return the input's part of all gates `[T*N, 4H]`."""
        return (product(self._editor, rows, self._input, self._bias),)

    def step(self, parts_of_input: Sequence[ir.Value], state: State) -> tuple[ir.Value, ...]:
        """Return the next output ``o tanh(c)`` and cell ``c = f old + i new``."""
        edit, (gates,), (output, cell) = self._editor, parts_of_input, state
        if output is not None:
            recurrent = product(edit, output, self._state, self._no_bias)
            gates = edit.elementwise("Add", gates, recurrent)
        write, read, keep, candidate = parts(edit, gates, 4)
        write = self._gate(edit, self._seeing(write, _WRITE, cell))
        keep = self._coupled(write) or self._gate(edit, self._seeing(keep, _KEEP, cell))
        new = edit.elementwise("Mul", write, self._shape(edit, candidate))
        if cell is not None:
            new = edit.elementwise("Add", edit.elementwise("Mul", keep, cell), new)
        shown = self._gate(edit, self._seeing(read, _READ, new))
        return edit.elementwise("Mul", shown, self._show(edit, new)), new

    def _seeing(self, gate: ir.Value, which: int, cell: ir.Value | None) -> ir.Value:
        """Return *gate* with what it sees of *cell* through its peephole."""
        if self._peepholes is None or cell is None:
            return gate
        seen = self._editor.elementwise("Mul", cell, self._peepholes[which])
        return self._editor.elementwise("Add", gate, seen)

    def _coupled(self, write: ir.Value) -> ir.Value | None:
        """Return the forget gate that drops what the input gate writes, when they are coupled."""
        if not self._is_coupled:
            return None
        one = self._editor.constant(np.float32(1))
        return self._editor.elementwise("Sub", one, write)


def _peepholes(editor: Editor, node: ir.Node, index: int) -> list[ir.Value] | None:
    """Return the diagonal weights from the cell to the gates, in the order of ONNX: i, o, f."""
    if optional_input(node, _PEEPHOLES) is None:
        return None
    weights = constant_input(node, _PEEPHOLES, "a weight")[index]
    return [editor.constant(part) for part in np.split(weights, 3)]


def _legalize(node: ir.Node) -> None:
    unroll(node, partial(_Lstm, node), states=2, gates=_ACTIVATIONS)


LEGALIZE: dict[str, Legalize] = {"LSTM": _legalize}
LOWER: dict[str, Lowering] = {}
