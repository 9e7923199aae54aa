"""Recurrent layers written out over time: what all cells share.

The input's part of all steps is computed at once, every step reads the same recurrent weight
tensors, and directions run apart and are joined at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of
from compressor.ir.quant import QuantParams
from exporters.tflite.dialect import (
    Array,
    Shape,
    Unsupported,
    constant_input,
    constant_of,
    optional_input,
    required_input,
    shape_of,
)
from exporters.tflite.editor import Editor
from exporters.tflite.ops.slice import take
from exporters.tflite.types import type_of

State = tuple[ir.Value | None, ...]
_BACKWARDS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
_LENGTHS, _FIRST_STATE = 4, 5
_ACTIVATIONS = ("Sigmoid", "Tanh", "Relu", "Softsign", "Softplus", "HardSigmoid", "Elu")
Activation = Callable[[Editor, ir.Value], ir.Value]


class Cell(Protocol):
    """The weights of one direction, and what one step computes with them."""

    def project(self, rows: ir.Value) -> tuple[ir.Value, ...]:
        """Return the input's part of all steps, from the inputs `[T*N, I]` of all steps."""
        ...

    def step(self, parts: Sequence[ir.Value], state: State) -> tuple[ir.Value, ...]:
        """Return the state after a step; *parts* are its rows of ``project``, None is zero."""
        ...


def unroll(
    node: ir.Node,
    make_cell: Callable[[Editor, int, Sequence[Activation]], Cell],
    *,
    states: int,
    gates: Sequence[str],
) -> None:
    """Replace *node* by its steps.

    Its outputs are the first state after every step `[T, D, N, H]`, then each of its *states* after
    the last step `[D, N, H]`; with the attribute ``layout`` the batch comes first. *gates* are the
    names of the activations that one direction has by default.
    """
    editor = Editor(node)
    functions = activations_of(node, gates)
    frame = _frame(editor, node)
    directions = _BACKWARDS[node.attributes.get_string("direction", "forward") or "forward"]
    sequences: list[ir.Value] = []
    last: list[State] = []
    for index, backwards in enumerate(directions):
        cell = make_cell(editor, index, functions[index])
        initial = [_initial_state(editor, node, _FIRST_STATE + n, index) for n in range(states)]
        outputs, state = _run(editor, frame, cell, tuple(initial), backwards=backwards)
        sequences.append(_stacked(editor, outputs))
        last.append(state)
    results = [concatenated(editor, sequences, 1)]
    for number in range(states):
        joined = concatenated(editor, [_known(state[number]) for state in last], 0)
        results.append(editor.reshape(joined, (len(last), *_state_shape(node))))
    if _is_batch_first(node):
        perms = [(2, 0, 1, 3), *[(1, 0, 2)] * states]
        results = [editor.transpose(v, perm) for v, perm in zip(results, perms, strict=True)]
    editor.replace(*results[: len(node.outputs)])


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """The input of a layer: all rows in the order of time, and which of them are in a sequence.

    Attributes:
        rows: the inputs of all steps `[T*N, I]`.
        steps: how many there are.
        batch: sequences side by side.
        present: for each step which sequences have not ended `[N, 1]`; None when none ends early.
    """

    rows: ir.Value
    steps: int
    batch: int
    present: Sequence[ir.Value] | None


def _frame(editor: Editor, node: ir.Node) -> _Frame:
    source = required_input(node, 0)
    if _is_batch_first(node):
        source = editor.transpose(source, (1, 0, 2))
    steps, batch, width = shape_of(source)
    rows = editor.reshape(source, (steps * batch, width))
    present = _present(editor, node, steps, batch)
    return _Frame(rows=rows, steps=steps, batch=batch, present=present)


def _present(editor: Editor, node: ir.Node, steps: int, batch: int) -> Sequence[ir.Value] | None:
    lengths = optional_input(node, _LENGTHS)
    array = constant_of(lengths)
    if lengths is None or (array is not None and np.all(array == steps)):
        return None
    if array is not None:
        return [editor.constant(array[:, None] > step) for step in range(steps)]
    column = editor.reshape(lengths, (batch, 1))
    counts = [editor.constant(np.asarray(n, type_of(lengths).numpy())) for n in range(steps)]
    return [editor.elementwise("Greater", column, count) for count in counts]


def _is_batch_first(node: ir.Node) -> bool:
    return node.attributes.get_int("layout", 0) == 1


def _state_shape(node: ir.Node) -> Shape:
    batch = shape_of(required_input(node, 0))[0 if _is_batch_first(node) else 1]
    return batch, shape_of(required_input(node, 2))[2]


def _known(value: ir.Value | None) -> ir.Value:
    if value is None:
        raise Unsupported("it has no steps")
    return value


def _run(
    editor: Editor, frame: _Frame, cell: Cell, state: State, *, backwards: bool
) -> tuple[list[ir.Value], State]:
    """Return the output of each step, in the order of time, and the last state."""
    parts = cell.project(frame.rows)
    outputs: dict[int, ir.Value] = {}
    for step in reversed(range(frame.steps)) if backwards else range(frame.steps):
        rows = [_rows(editor, part, step * frame.batch, frame.batch) for part in parts]
        new = cell.step(rows, state)
        if frame.present is None:
            outputs[step], state = new[0], new
        else:
            here = frame.present[step]
            zero = editor.constant(np.float32(0))
            outputs[step] = editor.elementwise("Where", here, new[0], zero)
            state = tuple(
                editor.elementwise("Where", here, value, zero if old is None else old)
                for value, old in zip(new, state, strict=True)
            )
    return [outputs[step] for step in range(frame.steps)], state


def _stacked(editor: Editor, steps: Sequence[ir.Value]) -> ir.Value:
    """Return the outputs `[N, H]` of all steps as `[T, 1, N, H]`."""
    joined = concatenated(editor, steps, 0)
    return editor.reshape(joined, (len(steps), 1, *shape_of(steps[0])))


def _initial_state(editor: Editor, node: ir.Node, number: int, index: int) -> ir.Value | None:
    """Return the state `[N, H]` before the first step; None when it is zero."""
    given = optional_input(node, number)
    if given is None:
        return None
    array = constant_of(given)
    if array is not None:
        part = array[:, index] if _is_batch_first(node) else array[index]
        return editor.constant(np.ascontiguousarray(part)) if np.any(part) else None
    if _is_batch_first(node):
        given = editor.transpose(given, (1, 0, 2))
    directions, batch, hidden = shape_of(given)
    flat = editor.reshape(given, (directions * batch, hidden))
    return _rows(editor, flat, index * batch, batch)


def activations_of(node: ir.Node, gates: Sequence[str]) -> list[Sequence[Activation]]:
    """Return the functions of each direction of *node*; *gates* are those of one by default.

    Raises:
        Unsupported: for functions with parameters of their own.
    """
    directions = shape_of(required_input(node, 1))[0]
    stated = [str(name) for name in node.attributes.get_strings("activations", [])]
    names = stated or list(gates) * directions
    if "activation_alpha" in node.attributes or "activation_beta" in node.attributes:
        raise Unsupported("activations with parameters are not unrolled")
    if unknown := [name for name in names if name not in _ACTIVATIONS]:
        raise Unsupported(f"the activation {unknown[0]} is not unrolled")
    clip = node.attributes.get_float("clip", 0.0) or 0.0
    functions = [partial(_activate, name, clip) for name in names]
    count = len(gates)
    return [functions[count * index : count * (index + 1)] for index in range(directions)]


def _activate(name: str, clip: float, editor: Editor, value: ir.Value) -> ir.Value:
    if clip:
        low, high = editor.constant(np.float32(-clip)), editor.constant(np.float32(clip))
        value = editor.elementwise("Min", editor.elementwise("Max", value, low), high)
    return editor.elementwise(name, value)


def weight_rows(editor: Editor, node: ir.Node, index: int, direction: int, rows: slice) -> ir.Value:
    """Return *rows* of the weight `[D, G*H, K]` at input *index* for one direction."""
    value = required_input(node, index)
    array = constant_input(node, index, "a weight")[direction, rows]
    params = quant_of(value)
    if params is not None and params.axis is not None:
        if params.axis != 1:
            raise Unsupported("recurrent weights are quantized along their gates")
        params = QuantParams.per_channel(params.dtype, params.scale[rows], 0)
    return editor.constant(array, params, value.name or "")


def biases(node: ir.Node, direction: int, count: int) -> tuple[Array, Array]:
    """Return the input's and the recurrent bias, each `[count]`; zeros when absent."""
    if optional_input(node, 3) is None:
        return np.zeros(count, np.float32), np.zeros(count, np.float32)
    bias = constant_input(node, 3, "the bias")[direction].astype(np.float32)
    return bias[:count].copy(), bias[count:].copy()


def product(editor: Editor, left: ir.Value, weight: ir.Value, bias: ir.Value) -> ir.Value:
    """Return ``left @ weight.T + bias``."""
    shape = (shape_of(left)[0], shape_of(weight)[0])
    return editor.op("FullyConnected", [left, weight, bias], shape)


def parts(editor: Editor, value: ir.Value, count: int) -> Sequence[ir.Value]:
    """Return *value* `[N, count * H]` in equal parts."""
    rows, columns = shape_of(value)
    return editor.node("Split", [value], [(rows, columns // count)] * count, {"axis": 1})


def concatenated(editor: Editor, values: Sequence[ir.Value], axis: int) -> ir.Value:
    """Return *values* joined along *axis*; a single one as it is."""
    if len(values) == 1:
        return values[0]
    shape = list(shape_of(values[0]))
    shape[axis] = sum(shape_of(value)[axis] for value in values)
    return editor.op("Concat", list(values), tuple(shape), {"axis": axis})


def _rows(editor: Editor, value: ir.Value, start: int, count: int) -> ir.Value:
    return take(editor, value, [start, 0], (count, shape_of(value)[1]))
