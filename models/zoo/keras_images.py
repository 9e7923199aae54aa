"""Image classifiers of keras.applications, channels last."""

import keras

from .randomize_keras import randomized

SIDE = 224
CLASSES = 10


def _made(name: str, side: int = SIDE) -> keras.Model:
    make = getattr(keras.applications, name)
    return randomized(lambda: make(weights=None, input_shape=(side, side, 3), classes=CLASSES))


def resnet50() -> keras.Model:
    """He et al., 2015, https://arxiv.org/abs/1512.03385."""
    return _made("ResNet50")


def vgg16() -> keras.Model:
    """Simonyan and Zisserman, 2014, https://arxiv.org/abs/1409.1556; small images, for its size."""
    return _made("VGG16", side=96)


def densenet121() -> keras.Model:
    """Huang et al., 2016, https://arxiv.org/abs/1608.06993."""
    return _made("DenseNet121")


def inception_v3() -> keras.Model:
    """Szegedy et al., 2015, https://arxiv.org/abs/1512.00567."""
    return _made("InceptionV3")


def xception() -> keras.Model:
    """Chollet, 2016, https://arxiv.org/abs/1610.02357."""
    return _made("Xception")


def nasnet_mobile() -> keras.Model:
    """Zoph et al., 2017, https://arxiv.org/abs/1707.07012."""
    return _made("NASNetMobile")


def mobilenet_v2() -> keras.Model:
    """Sandler et al., 2018, https://arxiv.org/abs/1801.04381."""
    return _made("MobileNetV2")


def mobilenet_v3_small() -> keras.Model:
    """Howard et al., 2019, https://arxiv.org/abs/1905.02244."""
    return _made("MobileNetV3Small")


def mobilenet_v3_large() -> keras.Model:
    """Howard et al., 2019, https://arxiv.org/abs/1905.02244."""
    return _made("MobileNetV3Large")


def efficientnet_b0() -> keras.Model:
    """Tan and Le, 2019, https://arxiv.org/abs/1905.11946."""
    return _made("EfficientNetB0")


def efficientnet_v2_b0() -> keras.Model:
    """Tan and Le, 2021, https://arxiv.org/abs/2104.00298."""
    return _made("EfficientNetV2B0")


def convnext_tiny() -> keras.Model:
    """Liu et al., 2022, https://arxiv.org/abs/2201.03545."""
    return _made("ConvNeXtTiny")
