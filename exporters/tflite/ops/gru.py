"""Gated recurrent units, unrolled over time.

Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder" (2014), with the gates in
ONNX's order z, r, h. The input's part of all steps is one matrix product, and every step reads the
same recurrent weight tensor.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.dialect import (
    Array,
    Unsupported,
    constant_input,
    constant_of,
    optional_input,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.protocol import Legalize, Lowering
from exporters.tflite.ops.slice import take

_BACKWARDS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
_GATE_ACTIVATIONS = (["Sigmoid", "Tanh"], ["Sigmoid", "Tanh"] * 2)


def _legalize(node: ir.Node) -> None:
    """Write out every step of every direction; `Y` is `[T, D, N, H]` and `Y_h` is `[D, N, H]`."""
    _refuse_variants(node)
    editor = Editor(node)
    directions = _BACKWARDS[node.attributes.get_string("direction", "forward") or "forward"]
    runs = [
        _unrolled(editor, node, index, backwards=backwards)
        for index, backwards in enumerate(directions)
    ]
    finals = [states[0 if back else -1] for states, back in zip(runs, directions, strict=True)]
    batch, hidden = shape_of(finals[0])
    sequences = [
        editor.reshape(_joined(editor, states, 0), (len(states), 1, batch, hidden))
        for states in runs
    ]
    last = editor.reshape(_joined(editor, finals, 0), (len(runs), batch, hidden))
    outputs = (_joined(editor, sequences, 1), last)
    editor.replace(*outputs[: len(node.outputs)])


def _refuse_variants(node: ir.Node) -> None:
    activations = [str(name) for name in node.attributes.get_strings("activations", [])]
    if activations and activations not in _GATE_ACTIVATIONS:
        raise Unsupported("only GRUs with the activations Sigmoid and Tanh are unrolled")
    if "clip" in node.attributes or node.attributes.get_int("layout", 0) == 1:
        raise Unsupported("the attributes clip and layout are not unrolled")
    if optional_input(node, 4) is not None:
        lengths = constant_of(optional_input(node, 4))
        if lengths is None or np.any(lengths != shape_of(required_input(node, 0))[0]):
            raise Unsupported("sequences of different lengths are not unrolled")


def _unrolled(editor: Editor, node: ir.Node, index: int, *, backwards: bool) -> list[ir.Value]:
    """Return the state `[N, H]` after each step of direction *index*, in the order of time."""
    source = required_input(node, 0)
    steps, batch, width = shape_of(source)
    cell = _Cell(editor, node, index)
    gates, candidates = cell.project(editor.reshape(source, (steps * batch, width)))
    state = _initial_state(editor, node, index)
    states: list[ir.Value] = []
    for step in reversed(range(steps)) if backwards else range(steps):
        rows = (step * batch, batch)
        state = cell.step(_rows(editor, gates, *rows), _rows(editor, candidates, *rows), state)
        states.append(state)
    return states[::-1] if backwards else states


def _initial_state(editor: Editor, node: ir.Node, index: int) -> ir.Value | None:
    """Return the state `[N, H]` before the first step; None when it is zero."""
    given = optional_input(node, 5)
    if given is None:
        return None
    directions, batch, hidden = shape_of(given)
    array = constant_of(given)
    if array is not None:
        return editor.constant(array[index]) if np.any(array[index]) else None
    flat = editor.reshape(given, (directions * batch, hidden))
    return _rows(editor, flat, index * batch, batch)


class _Cell:
    """The weights of one direction, and what one step computes with them.

    With ``linear_before_reset`` the reset gate scales the recurrent product of the candidate, bias
    included, so that bias stays with the product; otherwise the gate scales the state, and all
    biases join those of the input.
    """

    def __init__(self, editor: Editor, node: ir.Node, index: int) -> None:
        self._editor = editor
        self._resets_product = bool(node.attributes.get_int("linear_before_reset", 0))
        hidden = shape_of(node.inputs[2])[2]
        bias, inner = _biases(node, index, hidden)
        if not self._resets_product:
            bias[2 * hidden :] += inner
            inner = np.zeros_like(inner)
        gates, candidate = (0, 2 * hidden), (2 * hidden, 3 * hidden)
        self._input_gates = _weight(editor, node, 1, index, *gates)
        self._input_candidate = _weight(editor, node, 1, index, *candidate)
        self._state_gates = _weight(editor, node, 2, index, *gates)
        self._state_candidate = _weight(editor, node, 2, index, *candidate)
        self._gates_bias = editor.constant(bias[: 2 * hidden])
        self._candidate_bias = editor.constant(bias[2 * hidden :])
        self._no_bias = editor.constant(np.zeros(2 * hidden, np.float32))
        self._inner_bias = editor.constant(inner)

    def project(self, rows: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Return the input's part of z and r `[T*N, 2H]` and of h `[T*N, H]` for all steps."""
        edit = self._editor
        return (
            _product(edit, rows, self._input_gates, self._gates_bias),
            _product(edit, rows, self._input_candidate, self._candidate_bias),
        )

    def step(self, gates: ir.Value, candidate: ir.Value, state: ir.Value | None) -> ir.Value:
        """Return the next state ``n + z (state - n)``; from a zero state it is ``n - z n``."""
        edit = self._editor
        if state is not None:
            product = _product(edit, state, self._state_gates, self._no_bias)
            gates = edit.elementwise("Add", gates, product)
        update, reset = _halves(edit, edit.elementwise("Sigmoid", gates))
        recurrent = self._recurrent_candidate(reset, state)
        if recurrent is not None:
            candidate = edit.elementwise("Add", candidate, recurrent)
        new = edit.elementwise("Tanh", candidate)
        if state is None:
            return edit.elementwise("Sub", new, edit.elementwise("Mul", update, new))
        kept = edit.elementwise("Mul", update, edit.elementwise("Sub", state, new))
        return edit.elementwise("Add", new, kept)

    def _recurrent_candidate(self, reset: ir.Value, state: ir.Value | None) -> ir.Value | None:
        """Return the state's part of h, with the reset gate applied; None when it is zero."""
        edit = self._editor
        if self._resets_product:
            inner = self._inner_bias
            if state is not None:
                inner = _product(edit, state, self._state_candidate, inner)
            return edit.elementwise("Mul", reset, inner)
        if state is None:
            return None
        reset_state = edit.elementwise("Mul", reset, state)
        return _product(edit, reset_state, self._state_candidate, self._inner_bias)


def _weight(editor: Editor, node: ir.Node, index: int, direction: int, *rows: int) -> ir.Value:
    """Return rows from the first up to the second of *rows* of the weight at input *index*."""
    value = required_input(node, index)
    array = constant_input(node, index, "a weight")[direction, slice(*rows)]
    params = quant_of(value)
    if params is not None and params.axis is not None:
        if params.axis != 1:
            raise Unsupported("recurrent weights are quantized along their gates")
        params = QuantParams.per_channel(params.dtype, params.scale[slice(*rows)], 0)
    return editor.constant(array, params, value.name or "")


def _biases(node: ir.Node, direction: int, hidden: int) -> tuple[Array, Array]:
    """Return the joined bias `[3H]` (without the recurrent one of h), and that one `[H]`."""
    given = optional_input(node, 3)
    if given is None:
        return np.zeros(3 * hidden, np.float32), np.zeros(hidden, np.float32)
    bias = constant_input(node, 3, "the bias")[direction].astype(np.float32)
    joined = bias[: 3 * hidden].copy()
    joined[: 2 * hidden] += bias[3 * hidden : 5 * hidden]
    return joined, bias[5 * hidden :].copy()


def _product(editor: Editor, left: ir.Value, weight: ir.Value, bias: ir.Value) -> ir.Value:
    shape = (shape_of(left)[0], shape_of(weight)[0])
    return editor.op("FullyConnected", [left, weight, bias], shape)


def _halves(editor: Editor, value: ir.Value) -> tuple[ir.Value, ir.Value]:
    rows, columns = shape_of(value)
    first, second = editor.node("Split", [value], [(rows, columns // 2)] * 2, {"axis": 1})
    return first, second


def _rows(editor: Editor, value: ir.Value, start: int, count: int) -> ir.Value:
    return take(editor, value, [start, 0], (count, shape_of(value)[1]))


def _joined(editor: Editor, values: Sequence[ir.Value], axis: int) -> ir.Value:
    if len(values) == 1:
        return values[0]
    shape = list(shape_of(values[0]))
    shape[axis] = sum(shape_of(value)[axis] for value in values)
    return editor.op("Concat", list(values), tuple(shape), {"axis": axis})


LEGALIZE: dict[str, Legalize] = {"GRU": _legalize}
LOWER: dict[str, Lowering] = {}
