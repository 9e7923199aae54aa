"""Long short-term memory, with the gates in ONNX's order i, o, f, c.

Hochreiter and Schmidhuber, "Long Short-Term Memory" (1997), with the forget gate of Gers et al.
(2000).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import Unsupported, optional_input, shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.ops.recurrence import State, biases, parts, product, unroll, weight_rows

_ACTIVATIONS = ["Sigmoid", "Tanh", "Tanh"]


class _Lstm:
    """The weights of one direction; all biases join those of the input."""

    def __init__(self, node: ir.Node, editor: Editor, index: int) -> None:
        self._editor = editor
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
        added = edit.elementwise(
            "Mul", edit.elementwise("Sigmoid", write), edit.elementwise("Tanh", candidate)
        )
        if cell is not None:
            kept = edit.elementwise("Mul", edit.elementwise("Sigmoid", keep), cell)
            added = edit.elementwise("Add", kept, added)
        shown = edit.elementwise("Sigmoid", read)
        return edit.elementwise("Mul", shown, edit.elementwise("Tanh", added)), added


def _legalize(node: ir.Node) -> None:
    if optional_input(node, 7) is not None or node.attributes.get_int("input_forget", 0) == 1:
        raise Unsupported("peepholes and coupled gates are not unrolled")
    unroll(node, partial(_Lstm, node), states=2, gates=_ACTIVATIONS)


LEGALIZE: dict[str, Legalize] = {"LSTM": _legalize}
LOWER: dict[str, Lowering] = {}
