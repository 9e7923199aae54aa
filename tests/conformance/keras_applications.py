"""Factories of well-known Keras architectures, with variables that a wrong fold would show."""

from collections.abc import Callable

import keras
import numpy as np

SIDE = 96
CLASSES = 10
NAMES = (
    *("ResNet50", "VGG16", "DenseNet121", "InceptionV3", "Xception", "NASNetMobile"),
    *("MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
    *("EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny"),
)
_RANGES = {"moving_variance": (0.5, 1.5), "gamma": (0.7, 1.3)}
_SPREADS = {"moving_mean", "beta", "bias"}


def _factory(name: str) -> Callable[[], keras.Model]:
    def build() -> keras.Model:
        side = 224 if name.startswith("NASNet") else SIDE  # its size is fixed
        make = getattr(keras.applications, name)
        model = make(weights=None, input_shape=(side, side, 3), classes=CLASSES)
        random = np.random.default_rng(0)
        for variable in model.variables:
            kind = variable.path.rpartition("/")[2]
            if kind in _RANGES:
                variable.assign(random.uniform(*_RANGES[kind], variable.shape))
            elif kind in _SPREADS:
                variable.assign(random.normal(0, 0.1, variable.shape))
        return model

    return build


globals().update({name: _factory(name) for name in NAMES})
