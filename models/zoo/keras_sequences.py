"""Classifiers of sequences in Keras: recurrent, convolutional, and with attention."""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from .randomize_keras import randomized

STEPS, CHANNELS, CLASSES = 64, 40, 12


def _classifier(features: Callable[[Any], Any]) -> keras.Model:
    """Make a model of a sequence's `features`."""

    def make() -> keras.Model:
        source = layers.Input((STEPS, CHANNELS), name="sequence")
        head = layers.Dense(CLASSES, activation="softmax", name="probabilities")
        return keras.Model(source, head(features(source)))

    return randomized(make)


def lstm() -> keras.Model:
    """Two layers, the first of which returns a sequence."""
    return _classifier(lambda x: layers.LSTM(64)(layers.LSTM(64, return_sequences=True)(x)))


def gru() -> keras.Model:
    """Two layers, of both places of the reset gate."""
    return _classifier(
        lambda x: layers.GRU(64, reset_after=False)(layers.GRU(64, return_sequences=True)(x))
    )


def bidirectional() -> keras.Model:
    """Two bidirectional layers, joined by concatenation and by sum."""

    def features(x: Any) -> Any:  # noqa: ANN401 - a KerasTensor
        x = layers.Bidirectional(layers.LSTM(48, return_sequences=True))(x)
        return layers.Bidirectional(layers.GRU(48), merge_mode="sum")(x)

    return _classifier(features)


def conv1d() -> keras.Model:
    """Plain, separable, strided and causal dilated convolutions."""

    def features(x: Any) -> Any:  # noqa: ANN401 - a KerasTensor
        x = layers.Conv1D(64, 5, padding="same", activation="relu")(x)
        x = layers.MaxPooling1D()(layers.BatchNormalization()(x))
        x = layers.SeparableConv1D(96, 3, strides=2, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Conv1D(96, 3, padding="causal", dilation_rate=2, activation="relu")(x)
        return layers.GlobalAveragePooling1D()(x)

    return _classifier(features)


def attention() -> keras.Model:
    """Two blocks of multi-head attention and an MLP, each before a layer norm."""

    def features(x: Any) -> Any:  # noqa: ANN401 - a KerasTensor
        x = layers.Dense(64)(x)
        for _ in range(2):
            x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 16)(x, x))
            hidden = layers.Dense(128, activation="gelu")(x)
            x = layers.LayerNormalization()(x + layers.Dense(64)(hidden))
        return layers.GlobalAveragePooling1D()(x)

    return _classifier(features)
