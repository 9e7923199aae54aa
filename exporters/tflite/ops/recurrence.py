"""Recurrent layers written out over time: what all cells share.

The input's part of all steps is computed at once, every step reads the same recurrent weight
tensors, and directions run apart and are joined at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

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
from exporters.tflite.ops.slice import take

State = tuple[ir.Value | None, ...]
_BACKWARDS = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
_LENGTHS, _FIRST_STATE = 4, 5


class Cell(Protocol):
    """The weights of one direction, and what one step computes with them."""

    def project(self, rows: ir.Value) -> tuple[ir.Value, ...]:
        """Return the input's part of all steps, from the inputs `[T*N, I]` of all steps."""
        ...

    def step(self, parts: Sequence[ir.Value], state: State) -> tuple[ir.Value, ...]:
        """Return the state after a step; *parts* are its rows of ``project``, None is zero."""
        ...


def unroll(
    node: ir.Node, make_cell: Callable[[Editor, int], Cell], *, states: int, gates: list[str]
) -> None:
    """Replace *node* by its steps.

    Its outputs are the first state after every step `[T, D, N, H]`, then each of its *states* after
    the last step `[D, N, H]`. *gates* are the activations of one direction that can be written.
    """
    _refuse_variants(node, gates)
    editor = Editor(node)
    directions = _BACKWARDS[node.attributes.get_string("direction", "forward") or "forward"]
    runs = [
        _run(editor, node, index, make_cell(editor, index), states=states, backwards=backwards)
        for index, backwards in enumerate(directions)
    ]
    last = [run[0 if back else -1] for run, back in zip(runs, directions, strict=True)]
    batch, hidden = shape_of(last[0][0])
    sequences = []
    for run in runs:
        joined = concatenated(editor, [step[0] for step in run], 0)
        sequences.append(editor.reshape(joined, (len(run), 1, batch, hidden)))
    outputs = [concatenated(editor, sequences, 1)]
    for index in range(states):
        joined = concatenated(editor, [state[index] for state in last], 0)
        outputs.append(editor.reshape(joined, (len(runs), batch, hidden)))
    editor.replace(*outputs[: len(node.outputs)])


def _refuse_variants(node: ir.Node, gates: list[str]) -> None:
    activations = [str(name) for name in node.attributes.get_strings("activations", [])]
    if activations and activations not in (gates, gates * 2):
        raise Unsupported(f"only the activations {', '.join(gates)} are unrolled")
    if "clip" in node.attributes or node.attributes.get_int("layout", 0) == 1:
        raise Unsupported("the attributes clip and layout are not unrolled")
    if optional_input(node, _LENGTHS) is not None:
        lengths = constant_of(optional_input(node, _LENGTHS))
        if lengths is None or np.any(lengths != shape_of(required_input(node, 0))[0]):
            raise Unsupported("sequences of different lengths are not unrolled")


def _run(
    editor: Editor, node: ir.Node, index: int, cell: Cell, *, states: int, backwards: bool
) -> list[tuple[ir.Value, ...]]:
    """Return the states after each step of direction *index*, in the order of time."""
    source = required_input(node, 0)
    steps, batch, width = shape_of(source)
    parts = cell.project(editor.reshape(source, (steps * batch, width)))
    state: State = tuple(
        _initial_state(editor, node, _FIRST_STATE + number, index) for number in range(states)
    )
    found: list[tuple[ir.Value, ...]] = []
    for step in reversed(range(steps)) if backwards else range(steps):
        rows = [_rows(editor, part, step * batch, batch) for part in parts]
        found.append(cell.step(rows, state))
        state = found[-1]
    return found[::-1] if backwards else found


def _initial_state(editor: Editor, node: ir.Node, number: int, index: int) -> ir.Value | None:
    """Return the state `[N, H]` before the first step; None when it is zero."""
    given = optional_input(node, number)
    if given is None:
        return None
    directions, batch, hidden = shape_of(given)
    array = constant_of(given)
    if array is not None:
        return editor.constant(array[index]) if np.any(array[index]) else None
    flat = editor.reshape(given, (directions * batch, hidden))
    return _rows(editor, flat, index * batch, batch)


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
