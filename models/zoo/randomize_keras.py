"""Weights for Keras models that nobody has trained: seeded, and of a size that keeps variance."""

import math
from collections.abc import Callable

import keras
import numpy as np

_SCALES = {"gamma", "layer_scale"}


def randomized(make: Callable[[], keras.Model], *, seed: int = 0) -> keras.Model:
    """Call `make` and fill the variables of its model with random numbers.

    Batch normalization gets the statistics of random inputs, disturbed, so that no layer is
    ignored. Dense and recurrent weights keep Keras's own initial values, which are seeded too.
    """
    keras.utils.set_random_seed(seed)
    model = make()
    random = np.random.default_rng(seed)
    for layer in model._flatten_layers(include_self=False):  # noqa: SLF001 - no other way
        for variable in layer.variables:
            kind = variable.path.rpartition("/")[2]
            if kind in _SCALES:
                variable.assign(random.uniform(0.7, 1.3, variable.shape))
            elif kind in {"beta", "bias"} and len(variable.shape) == 1:
                variable.assign(random.normal(0, 0.1, variable.shape))
            elif kind == "kernel" and "Conv" in type(layer).__name__:
                spread = math.sqrt(2 / _fan_in(layer, variable.shape))
                variable.assign(random.normal(0, spread, variable.shape))
    _settle(model, random)
    return model


def _fan_in(layer: keras.Layer, shape: tuple[int, ...]) -> int:
    """Return how many products each result is the sum of."""
    depthwise = "Depthwise" in type(layer).__name__
    return math.prod(shape[:-2]) * (1 if depthwise else shape[-2])


def _settle(model: keras.Model, random: np.random.Generator) -> None:
    norms = [
        layer
        for layer in model._flatten_layers(include_self=False)  # noqa: SLF001 - no other way
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    for layer in norms:
        layer.momentum = 0.0  # one pass leaves just its own statistics
    model(random.standard_normal((4, *model.input.shape[1:])).astype(np.float32), training=True)
    for layer in norms:
        mean, variance = np.asarray(layer.moving_mean), np.asarray(layer.moving_variance)
        layer.moving_mean.assign(mean + 0.1 * np.sqrt(variance) * random.normal(size=mean.shape))
        layer.moving_variance.assign(variance * random.uniform(0.75, 1.25, variance.shape) + 1e-3)
