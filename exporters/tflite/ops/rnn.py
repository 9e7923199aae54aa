"""Plain recurrent layers: Elman, "Finding Structure in Time" (1990)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import shape_of
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.ops.recurrence import Activation, State, biases, product, unroll, weight_rows


class _Rnn:
    """The weights of one direction; all biases join those of the input."""

    def __init__(
        self, node: ir.Node, editor: Editor, index: int, functions: Sequence[Activation]
    ) -> None:
        self._editor = editor
        (self._activate,) = functions
        rows = slice(0, shape_of(node.inputs[2])[2])
        bias, recurrent = biases(node, index, rows.stop)
        self._input = weight_rows(editor, node, 1, index, rows)
        self._state = weight_rows(editor, node, 2, index, rows)
        self._bias = editor.constant(bias + recurrent)
        self._no_bias = editor.constant(np.zeros_like(bias))

    def project(self, rows: ir.Value) -> tuple[ir.Value, ...]:
        """Return the input's part of all steps `[T*N, H]`."""
        return (product(self._editor, rows, self._input, self._bias),)

    def step(self, parts_of_input: Sequence[ir.Value], state: State) -> tuple[ir.Value, ...]:
        """Return the next state ``f(x W + h R + b)``."""
        edit, (total,), (old,) = self._editor, parts_of_input, state
        if old is not None:
            recurrent = product(edit, old, self._state, self._no_bias)
            total = edit.elementwise("Add", total, recurrent)
        return (self._activate(edit, total),)


def _legalize(node: ir.Node) -> None:
    unroll(node, partial(_Rnn, node), states=1, gates=["Tanh"])


LEGALIZE: dict[str, Legalize] = {"RNN": _legalize}
LOWER: dict[str, Lowering] = {}
