"""Factories of small Keras models, one for each thing that ingest must get right."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def randomized(model: keras.Model) -> keras.Model:
    """Give statistics and gains values that a wrong fold would show."""
    random = np.random.default_rng(0)
    for variable in model.variables:
        kind = variable.path.rpartition("/")[2]
        if kind in {"moving_variance", "gamma"}:
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        elif kind in {"moving_mean", "beta", "bias"}:
            variable.assign(random.normal(0, 0.1, variable.shape))
    return model


def image_classifier() -> keras.Model:
    image = layers.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same")(image)
    x = layers.BatchNormalization()(x)
    skip = layers.ReLU()(x)
    x = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(skip)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(max_value=6.0)(x)
    x = layers.Dropout(0.5)(x)
    x = layers.Conv2D(8, 1)(x)
    x = layers.add([x, skip])
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(5, activation="softmax", name="probabilities")(x)
    return randomized(keras.Model(image, x))


def classifier(source: Any, x: Any) -> keras.Model:
    return randomized(keras.Model(source, layers.Dense(4, activation="softmax", name="cls")(x)))


def lstm() -> keras.Model:
    sequence = layers.Input((20, 8), name="seq")
    return classifier(sequence, layers.LSTM(12)(layers.LSTM(16, return_sequences=True)(sequence)))


def gru() -> keras.Model:
    sequence = layers.Input((20, 8), name="seq")
    first = layers.GRU(16, return_sequences=True)(sequence)
    return classifier(sequence, layers.GRU(12, reset_after=False)(first))


def simple_rnn() -> keras.Model:
    sequence = layers.Input((20, 8), name="seq")
    return classifier(sequence, layers.SimpleRNN(16, activation="relu")(sequence))


def backwards() -> keras.Model:
    sequence = layers.Input((20, 8), name="seq")
    recurrent = layers.LSTM(16, go_backwards=True, recurrent_activation="hard_sigmoid")
    return classifier(sequence, recurrent(sequence))


def bidirectional() -> keras.Model:
    ids = layers.Input((20,), dtype="int32", name="ids")
    x = layers.Embedding(100, 8)(ids)
    x = layers.Bidirectional(layers.LSTM(16, return_sequences=True))(x)
    return classifier(ids, layers.Bidirectional(layers.GRU(12), merge_mode="sum")(x))


def masked() -> keras.Model:
    ids = layers.Input((20,), dtype="int32", name="ids")
    x = layers.Embedding(100, 8, mask_zero=True)(ids)
    return classifier(ids, layers.Bidirectional(layers.LSTM(16))(x))


def attention() -> keras.Model:
    tokens = layers.Input((16, 32), name="tokens")
    x = layers.LayerNormalization()(tokens + layers.MultiHeadAttention(4, 8)(tokens, tokens))
    y = layers.Dense(32)(layers.Dense(64, activation="gelu")(x))
    x = layers.LayerNormalization()(x + y)
    return classifier(tokens, layers.GlobalAveragePooling1D()(x))


def convolution_1d() -> keras.Model:
    signal = layers.Input((64, 3), name="signal")
    x = layers.Conv1D(8, 5, padding="same", activation="relu")(signal)
    x = layers.MaxPooling1D()(layers.BatchNormalization()(x))
    x = layers.SeparableConv1D(16, 3, strides=2, padding="same")(x)
    x = layers.Conv1D(8, 3, padding="causal", dilation_rate=2)(x)
    return classifier(signal, layers.GlobalAveragePooling1D()(x))


def two_inputs() -> keras.Model:
    image, aux = layers.Input((8, 8, 3), name="img"), layers.Input((5,), name="aux")
    x = layers.Concatenate()([layers.Flatten()(layers.Conv2D(4, 3)(image)), aux])
    outputs = {"cls": layers.Dense(4, name="first")(x), "box": layers.Dense(2, name="second")(x)}
    return keras.Model({"img": image, "aux": aux}, outputs)


def any_length() -> keras.Model:
    signal = layers.Input((None, 3), name="signal")
    return classifier(signal, layers.GlobalMaxPooling1D()(layers.Conv1D(8, 5)(signal)))


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, features: Any) -> Any:
        return self.dense(features)


def subclassed() -> keras.Model:
    return Subclassed()


def with_lambda() -> keras.Model:
    x = layers.Input((4,))
    return keras.Model(x, layers.Lambda(lambda v: v * 2, output_shape=(4,))(x))


class Doubled(layers.Layer):
    def call(self, x: Any) -> Any:
        return x * 2


def with_custom_layer() -> keras.Model:
    x = layers.Input((4,))
    return keras.Model(x, Doubled()(x))


def with_python_function(folder: Path) -> None:
    """Write a SavedModel that calls back into Python."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def __call__(self, x: Any) -> Any:
            return tf.ensure_shape(tf.py_function(lambda v: v, [x], tf.float32), [None, 4])

    module = Module()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)


def with_a_write(folder: Path, target: Path) -> None:
    """Write a SavedModel that saves a tensor to *target* whenever it runs."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def __call__(self, x: Any) -> Any:
            write = tf.raw_ops.SaveV2(
                prefix=str(target), tensor_names=["x"], shape_and_slices=[""], tensors=[x]
            )
            with tf.control_dependencies([write]):
                return x * 2.0

    module = Module()
    tf.saved_model.save(module, str(folder), signatures=module.__call__)
