"""Gated recurrent units, with the gates in ONNX's order z, r, h.

Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
Translation" (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import onnx_ir as ir

from exporters.tflite.dialect import shape_of
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

_ACTIVATIONS = ["Sigmoid", "Tanh"]


class _Gru:
    """The weights of one direction.

    With ``linear_before_reset`` the reset gate scales the recurrent product of the candidate, bias
    included, so that bias stays with the product; otherwise the gate scales the state, and all
    biases join those of the input.
    """

    def __init__(
        self, node: ir.Node, editor: Editor, index: int, functions: Sequence[Activation]
    ) -> None:
        self._editor = editor
        self._gate, self._shape = functions
        self._resets_product = bool(node.attributes.get_int("linear_before_reset", 0))
        hidden = shape_of(node.inputs[2])[2]
        bias, recurrent = biases(node, index, 3 * hidden)
        gates, candidate = slice(0, 2 * hidden), slice(2 * hidden, 3 * hidden)
        bias[gates] += recurrent[gates]
        inner = recurrent[candidate]
        if not self._resets_product:
            bias[candidate] += inner
            inner = np.zeros_like(inner)
        self._input_gates = weight_rows(editor, node, 1, index, gates)
        self._input_candidate = weight_rows(editor, node, 1, index, candidate)
        self._state_gates = weight_rows(editor, node, 2, index, gates)
        self._state_candidate = weight_rows(editor, node, 2, index, candidate)
        self._gates_bias = editor.constant(bias[gates])
        self._candidate_bias = editor.constant(bias[candidate])
        self._no_bias = editor.constant(np.zeros(2 * hidden, np.float32))
        self._inner_bias = editor.constant(inner)

    def project(self, rows: ir.Value) -> tuple[ir.Value, ...]:
        """Return the input's part of z and r `[T*N, 2H]` and of h `[T*N, H]`."""
        return (
            product(self._editor, rows, self._input_gates, self._gates_bias),
            product(self._editor, rows, self._input_candidate, self._candidate_bias),
        )

    def step(self, parts_of_input: Sequence[ir.Value], state: State) -> tuple[ir.Value, ...]:
        """Return the next state ``n + z (state - n)``; from a zero state it is ``n - z n``."""
        edit, (gates, candidate), (old,) = self._editor, parts_of_input, state
        if old is not None:
            recurrent = product(edit, old, self._state_gates, self._no_bias)
            gates = edit.elementwise("Add", gates, recurrent)
        update, reset = parts(edit, self._gate(edit, gates), 2)
        inner = self._recurrent_candidate(reset, old)
        if inner is not None:
            candidate = edit.elementwise("Add", candidate, inner)
        new = self._shape(edit, candidate)
        if old is None:
            return (edit.elementwise("Sub", new, edit.elementwise("Mul", update, new)),)
        kept = edit.elementwise("Mul", update, edit.elementwise("Sub", old, new))
        return (edit.elementwise("Add", new, kept),)

    def _recurrent_candidate(self, reset: ir.Value, state: ir.Value | None) -> ir.Value | None:
        """Return the state's part of h, with the reset gate applied; None when it is zero."""
        edit = self._editor
        if self._resets_product:
            inner = self._inner_bias
            if state is not None:
                inner = product(edit, state, self._state_candidate, inner)
            return edit.elementwise("Mul", reset, inner)
        if state is None:
            return None
        reset_state = edit.elementwise("Mul", reset, state)
        return product(edit, reset_state, self._state_candidate, self._inner_bias)


def _legalize(node: ir.Node) -> None:
    unroll(node, partial(_Gru, node), states=1, gates=_ACTIVATIONS)


LEGALIZE: dict[str, Legalize] = {"GRU": _legalize}
LOWER: dict[str, Lowering] = {}
