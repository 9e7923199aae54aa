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
    if "clip" in node.attributes or node.attributes.get_int("layout", 0):
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
    rows = editor.reshape(source, (steps * batch, width))
    gates, candidates = cell.project(rows)
    gates_at = _split(editor, gates, 0, [batch] * steps)
    candidates_at = _split(editor, candidates, 0, [batch] * steps)
    state = _initial_state(editor, node, index)
    states: list[ir.Value] = []
    for step in reversed(range(steps)) if backwards else range(steps):
        state = cell.step(gates_at[step], candidates_at[step], state)
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
    if directions == 1:
        return editor.reshape(given, (batch, hidden))
    each = _split(editor, given, 0, [1] * directions)
    return editor.reshape(each[index], (batch, hidden))


class _Cell:
    """The weights of one direction, and what one step computes with them.

    With ``linear_before_reset`` the reset gate scales the recurrent product, bias included, so
    that bias stays with the product; otherwise it scales the state, and all biases are joined.
    """

    def __init__(self, editor: Editor, node: ir.Node, index: int) -> None:
        self._editor = editor
        self._resets_product = bool(node.attributes.get_int("linear_before_reset", 0))
        recurrent, params = _matrix(node, 2, index)
        self._hidden = hidden = recurrent.shape[1]
        self._input = _matrix_constant(editor, node, 1, _matrix(node, 1, index), 0, 3 * hidden)
        bias, inner = _biases(node, index, hidden)
        if not self._resets_product:
            bias[2 * hidden :] += inner
            inner = np.zeros_like(inner)
        self._input_bias, self._inner = editor.constant(bias), editor.constant(inner)
        self._product_bias = editor.constant(np.concatenate([np.zeros_like(bias)[hidden:], inner]))
        self._no_gate_bias = editor.constant(np.zeros(2 * hidden, np.float32))
        rows = 3 * hidden if self._resets_product else 2 * hidden
        self._gates = _matrix_constant(editor, node, 2, (recurrent, params), 0, rows)
        if not self._resets_product:
            whole = (recurrent, params)
            self._candidate = _matrix_constant(editor, node, 2, whole, rows, 3 * hidden)

    def project(self, rows: ir.Value) -> Sequence[ir.Value]:
        """Return the input's part of z and r `[T*N, 2H]` and of h `[T*N, H]` for all steps."""
        product = _product(self._editor, rows, self._input, self._input_bias)
        return _split(self._editor, product, 1, [2 * self._hidden, self._hidden])

    def step(self, gates: ir.Value, candidate: ir.Value, state: ir.Value | None) -> ir.Value:
        """Return the next state ``n + z (state - n)``, or ``n - z n`` from a zero state."""
        edit, sizes = self._editor, [self._hidden, self._hidden]
        inner: ir.Value | None = self._inner if self._resets_product else None
        if state is not None:
            gates, inner = self._recur(gates, state)
        update, reset = _split(edit, edit.elementwise("Sigmoid", gates), 1, sizes)
        if self._resets_product and inner is not None:
            inner = edit.elementwise("Mul", reset, inner)
        elif state is not None:
            reset_state = edit.elementwise("Mul", reset, state)
            inner = _product(edit, reset_state, self._candidate, self._inner)
        total = candidate if inner is None else edit.elementwise("Add", candidate, inner)
        new = edit.elementwise("Tanh", total)
        if state is None:
            return edit.elementwise("Sub", new, edit.elementwise("Mul", update, new))
        step = edit.elementwise("Mul", update, edit.elementwise("Sub", state, new))
        return edit.elementwise("Add", new, step)

    def _recur(self, gates: ir.Value, state: ir.Value) -> tuple[ir.Value, ir.Value | None]:
        """Return z and r before the sigmoid, and the product of h where it is not reset yet."""
        edit = self._editor
        if not self._resets_product:
            product = _product(edit, state, self._gates, self._no_gate_bias)
            return edit.elementwise("Add", gates, product), None
        product = _product(edit, state, self._gates, self._product_bias)
        recurrent, inner = _split(edit, product, 1, [2 * self._hidden, self._hidden])
        return edit.elementwise("Add", gates, recurrent), inner


def _matrix(node: ir.Node, index: int, direction: int) -> tuple[Array, QuantParams | None]:
    """Return the weight `[3H, K]` at input *index* for one direction, with its parameters."""
    array = constant_input(node, index, "a weight")
    params = quant_of(node.inputs[index])
    if params is None or params.axis is None:
        return array[direction], params
    if params.axis != 1:
        raise Unsupported("recurrent weights are quantized along their gates")
    return array[direction], _along(params, 0, params.scale)


def _matrix_constant(
    editor: Editor,
    node: ir.Node,
    index: int,
    matrix: tuple[Array, QuantParams | None],
    start: int,
    stop: int,
) -> ir.Value:
    array, params = matrix
    if params is not None and params.axis is not None:
        params = _along(params, 0, params.scale[start:stop])
    return editor.constant(array[start:stop], params, required_input(node, index).name or "")


def _along(params: QuantParams, axis: int, scale: tuple[float, ...]) -> QuantParams:
    return QuantParams.per_channel(params.dtype, scale, axis)


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


def _split(editor: Editor, value: ir.Value, axis: int, sizes: list[int]) -> Sequence[ir.Value]:
    if len(sizes) == 1:
        return [value]
    shape = shape_of(value)
    shapes = [(*shape[:axis], size, *shape[axis + 1 :]) for size in sizes]
    return editor.node("Split", [value], shapes, {"axis": axis})


def _joined(editor: Editor, values: Sequence[ir.Value], axis: int) -> ir.Value:
    if len(values) == 1:
        return values[0]
    shape = list(shape_of(values[0]))
    shape[axis] = sum(shape_of(value)[axis] for value in values)
    return editor.op("Concat", list(values), tuple(shape), {"axis": axis})


LEGALIZE: dict[str, Legalize] = {"GRU": _legalize}
LOWER: dict[str, Lowering] = {}
