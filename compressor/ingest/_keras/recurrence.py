"""Recurrent layers as the one ONNX operator that each of them is, instead of a traced loop.

Keras lets its backends offer faster forms of LSTM and GRU; here the form is ONNX's. What ONNX
cannot say (masks, other activations) raises NotImplementedError, upon which Keras traces its loop.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from .stand_in import onnx_node

_STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}
_GATES = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "RNN": (0,)}  # ONNX's order, in Keras's numbers
# By the name of the Keras function: ONNX's name, alpha and beta.
_ACTIVATIONS: dict[str, tuple[str, list[float], list[float]]] = {
    "tanh": ("Tanh", [], []),
    "sigmoid": ("Sigmoid", [], []),
    "relu": ("Relu", [], []),
    "hard_sigmoid": ("HardSigmoid", [1 / 6], [0.5]),
    "softsign": ("Softsign", [], []),
    "linear": ("Affine", [1.0], [0.0]),
}

# What Keras expects of its backends: the last output, all outputs, and the final states.
Result = tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]


@dataclass(frozen=True, kw_only=True)
class Direction:
    """The constants of one direction, in Keras's order of gates, and its initial states."""

    kernel: tf.Tensor
    recurrent_kernel: tf.Tensor
    bias: tf.Tensor | None
    states: Sequence[tf.Tensor]


@dataclass(frozen=True, kw_only=True)
class Form:
    """What ONNX writes as attributes."""

    kind: str
    direction: str
    activations: Sequence[Callable[..., Any]]
    reset_after: bool = False


def lstm(inputs: Any, h: Any, c: Any, mask: Any, **facts: Any) -> Result:  # noqa: ANN401 - Keras's
    """Trace an LSTM layer; called as ``keras.src.backend.lstm``."""
    return _one_way("LSTM", inputs, [h, c], mask, **facts)


def gru(inputs: Any, h: Any, mask: Any, **facts: Any) -> Result:  # noqa: ANN401 - Keras's
    """Trace a GRU layer; called as ``keras.src.backend.gru``."""
    return _one_way("GRU", inputs, [h], mask, **facts)


def bidirectional_lstm(inputs: Any, *states: Any, **facts: Any) -> tuple[Result, Result]:  # noqa: ANN401
    """Trace two LSTM layers as one node; called as ``keras.src.backend.bidirectional_lstm``."""
    return _both_ways("LSTM", inputs, states, **facts)


def bidirectional_gru(inputs: Any, *states: Any, **facts: Any) -> tuple[Result, Result]:  # noqa: ANN401
    """Trace two GRU layers as one node; called as ``keras.src.backend.bidirectional_gru``."""
    return _both_ways("GRU", inputs, states, **facts)


def simple_rnn(
    layer: keras.layers.SimpleRNN,
    sequences: Any,  # noqa: ANN401
    initial_state: Any,  # noqa: ANN401
    mask: Any,  # noqa: ANN401
    training: bool = False,  # noqa: ARG001 - the signature of RNN.inner_loop
) -> Result:
    """Trace a SimpleRNN layer; called as its ``inner_loop``."""
    cell = layer.cell
    try:
        return _one_way(
            "RNN",
            sequences,
            keras.tree.flatten(initial_state),
            keras.tree.flatten(mask)[0] if mask is not None else None,
            kernel=cell.kernel,
            recurrent_kernel=cell.recurrent_kernel,
            bias=cell.bias,
            activation=cell.activation,
            go_backwards=layer.go_backwards,
        )
    except NotImplementedError:
        result: Result = super(keras.layers.SimpleRNN, layer).inner_loop(
            sequences, initial_state, mask
        )
        return result


def _one_way(
    kind: str,
    inputs: tf.Tensor,
    states: Sequence[tf.Tensor],
    mask: object,
    *,
    go_backwards: bool,
    **facts: Any,  # noqa: ANN401
) -> Result:
    direction = Direction(states=states, **{key: facts[key] for key in _WEIGHTS})
    form = _form(kind, "reverse" if go_backwards else "forward", mask, facts)
    sequence, *finals = _emit(inputs, [direction], form)
    steps, _, _, units = sequence.shape
    outputs = tf.transpose(tf.reshape(sequence, [steps, -1, units]), [1, 0, 2])
    states = [tf.reshape(final, [-1, units]) for final in finals]
    if go_backwards:  # Keras returns outputs in the order in which they were computed
        outputs = tf.reverse(outputs, axis=[1])
    return states[0], outputs, states


def _both_ways(
    kind: str,
    inputs: tf.Tensor,
    states: Sequence[tf.Tensor],
    *,
    mask: object,
    **facts: Any,  # noqa: ANN401
) -> tuple[Result, Result]:
    count = _STATES[kind]
    directions = [
        Direction(states=own, **{key: facts[f"{prefix}_{key}"] for key in _WEIGHTS})
        for prefix, own in (("fwd", states[:count]), ("bwd", states[count:]))
    ]
    sequence, *finals = _emit(inputs, directions, _form(kind, "bidirectional", mask, facts))
    outputs = tf.unstack(tf.transpose(sequence, [2, 0, 1, 3]), axis=2)
    first, second = (
        (states[0], output, list(states))
        for output, states in zip(outputs, zip(*map(tf.unstack, finals), strict=True), strict=True)
    )
    return first, second


_WEIGHTS = ("kernel", "recurrent_kernel", "bias")


def _form(kind: str, direction: str, mask: object, facts: dict[str, Any]) -> Form:
    names = ("recurrent_activation", "activation", "activation")
    used = {"LSTM": names, "GRU": names[:2], "RNN": names[1:2]}[kind]
    activations = [facts[name] for name in used]
    if mask is not None or any(one.__name__ not in _ACTIVATIONS for one in activations):
        raise NotImplementedError
    return Form(
        kind=kind,
        direction=direction,
        activations=activations,
        reset_after=bool(facts.get("reset_after")),
    )


def _emit(inputs: tf.Tensor, directions: Sequence[Direction], form: Form) -> list[tf.Tensor]:
    """Return outputs ``[steps, directions, batch, units]``; final states without the steps."""
    steps, units = inputs.shape[1], directions[0].recurrent_kernel.shape[0]
    if steps is None:
        raise NotImplementedError
    slots = {
        0: tf.transpose(inputs, [1, 0, 2]),
        1: tf.stack([_gates_first(one.kernel, form) for one in directions]),
        2: tf.stack([_gates_first(one.recurrent_kernel, form) for one in directions]),
    }
    if directions[0].bias is not None:
        slots[3] = tf.stack([_biases(tf.convert_to_tensor(one.bias), form) for one in directions])
    for index in range(_STATES[form.kind]):
        initial = [one.states[index] for one in directions]
        if not all(_is_zero(state) for state in initial):
            slots[5 + index] = tf.stack(initial)
    names = [_ACTIVATIONS[one.__name__] for one in form.activations] * len(directions)
    attributes: dict[str, object] = {
        "hidden_size": units,
        "direction": form.direction,
        "activations": [name for name, _, _ in names],
    }
    if any(alpha for _, alpha, _ in names):
        attributes["activation_alpha"] = [number for _, alpha, _ in names for number in alpha]
        attributes["activation_beta"] = [number for _, _, beta in names for number in beta]
    if form.kind == "GRU":
        attributes["linear_before_reset"] = int(form.reset_after)
    count = 1 + _STATES[form.kind]
    sequence, *finals = onnx_node(form.kind, slots, attributes, outputs=count)
    shape = [len(directions), -1, units]
    return [
        tf.reshape(sequence, [steps, *shape]),
        *(tf.reshape(final, shape) for final in finals),
    ]


def _gates_first(kernel: Any, form: Form) -> tf.Tensor:  # noqa: ANN401 - a Keras variable
    """Return ``[gates * units, inputs]`` from Keras's ``[inputs, gates * units]``."""
    gates = tf.split(tf.transpose(tf.convert_to_tensor(kernel)), len(_GATES[form.kind]))
    return tf.concat([gates[index] for index in _GATES[form.kind]], axis=0)


def _biases(bias: tf.Tensor, form: Form) -> tf.Tensor:
    """Return the biases of input and recurrence, one behind the other; Keras may have one only."""
    both = bias if bias.shape.rank == 2 else tf.stack([bias, tf.zeros_like(bias)])
    gates = tf.split(both, len(_GATES[form.kind]), axis=1)
    return tf.reshape(tf.concat([gates[index] for index in _GATES[form.kind]], axis=1), [-1])


def _is_zero(state: tf.Tensor) -> bool:
    """Whether an initial state is zero for every batch, as when a layer is given none."""
    source = state.op.inputs[1] if state.op.type == "Fill" else state
    value = tf.get_static_value(source)
    return value is not None and not value.any()
