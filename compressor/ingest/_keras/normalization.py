"""Layer normalization as the one ONNX operator that it is."""

from collections.abc import Callable

import keras
import tensorflow as tf

from .stand_in import onnx_node

Call = Callable[[keras.layers.LayerNormalization, tf.Tensor], tf.Tensor]


def layer_norm_form(original: Call) -> Call:
    """Return a ``call`` for the layer that uses ONNX's form where it can, else *original*."""

    def call(layer: keras.layers.LayerNormalization, inputs: tf.Tensor) -> tf.Tensor:
        shape = inputs.shape.as_list()
        axes = sorted(axis % len(shape) for axis in _as_list(layer.axis))
        trailing = axes == list(range(axes[0], len(shape)))
        if layer.rms_scaling or layer.gamma is None or not trailing or None in shape[1:]:
            return original(layer, inputs)
        slots = {0: inputs, 1: tf.convert_to_tensor(layer.gamma)}
        if layer.beta is not None:
            slots[2] = tf.convert_to_tensor(layer.beta)
        attributes = {"axis": axes[0] - len(shape), "epsilon": layer.epsilon}
        (output,) = onnx_node("LayerNormalization", slots, attributes)
        return tf.reshape(output, [-1, *shape[1:]])

    return call


def _as_list(axis: int | list[int]) -> list[int]:
    return [axis] if isinstance(axis, int) else list(axis)
