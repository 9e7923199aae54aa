"""Classifiers of sequences in Keras: recurrent, convolutional, and with attention."""

from typing import Any

import keras
from keras import layers

from .randomize_keras import randomized

STEPS, CHANNELS, CLASSES = 64, 40, 12


def _classifier(source: Any, features: Any) -> keras.Model:  # noqa: ANN401 - a KerasTensor
    result = layers.Dense(CLASSES, activation="softmax", name="probabilities")(features)
    return randomized(keras.Model(source, result))


def lstm() -> keras.Model:
    """Two layers, the first of which returns a sequence."""
    source = layers.Input((STEPS, CHANNELS), name="sequence")
    hidden = layers.LSTM(64, return_sequences=True)(source)
    return _classifier(source, layers.LSTM(64)(hidden))


def gru() -> keras.Model:
    """Two layers, of both places of the reset gate."""
    source = layers.Input((STEPS, CHANNELS), name="sequence")
    hidden = layers.GRU(64, return_sequences=True)(source)
    return _classifier(source, layers.GRU(64, reset_after=False)(hidden))


def bidirectional() -> keras.Model:
    """Two bidirectional layers, joined by concatenation and by sum."""
    source = layers.Input((STEPS, CHANNELS), name="sequence")
    hidden = layers.Bidirectional(layers.LSTM(48, return_sequences=True))(source)
    return _classifier(source, layers.Bidirectional(layers.GRU(48), merge_mode="sum")(hidden))


def conv1d() -> keras.Model:
    """Plain, separable, strided and causal dilated convolutions."""
    source = layers.Input((STEPS, CHANNELS), name="sequence")
    x = layers.Conv1D(64, 5, padding="same", activation="relu")(source)
    x = layers.MaxPooling1D()(layers.BatchNormalization()(x))
    x = layers.SeparableConv1D(96, 3, strides=2, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv1D(96, 3, padding="causal", dilation_rate=2, activation="relu")(x)
    return _classifier(source, layers.GlobalAveragePooling1D()(x))


def attention() -> keras.Model:
    """Two blocks of multi-head attention and an MLP, each before a layer norm."""
    source = layers.Input((STEPS, CHANNELS), name="sequence")
    x = layers.Dense(64)(source)
    for _ in range(2):
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 16)(x, x))
        hidden = layers.Dense(128, activation="gelu")(x)
        x = layers.LayerNormalization()(x + layers.Dense(64)(hidden))
    return _classifier(source, layers.GlobalAveragePooling1D()(x))
