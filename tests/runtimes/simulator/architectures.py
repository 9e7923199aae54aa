"""Architectures of ncnn's benchmark as PyTorch modules, from their papers, without weights.

Where ncnn's file departs from the paper its own form is kept: the first block of its ResNet-18 has
a 1x1 shortcut, that of its MobileNetV2 expands, its SqueezeNet pads the last convolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def example_inputs() -> dict[str, Tensor]:
    """Images of the two sizes of ncnn's benchmark."""
    return {"x": torch.zeros(1, 3, 224, 224), "larger": torch.zeros(1, 3, 227, 227)}


def _conv(taken: int, made: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Module:
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(taken, made, kernel, stride, padding, groups=groups, bias=False), nn.ReLU()
    )


def _depthwise(width: int, kernel: int, stride: int) -> nn.Module:
    return _conv(width, width, kernel, stride, width)


class _Squeeze(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, width: int, middle: int) -> None:
        super().__init__()
        self.gates = nn.Sequential(
            nn.Linear(width, middle), nn.ReLU(), nn.Linear(middle, width), nn.Hardsigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        gates: Tensor = self.gates(x.mean((2, 3)))
        return x * gates[:, :, None, None]


class _Residual(nn.Module):
    """Two ways from the same input, added."""

    def __init__(self, way: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.way, self.shortcut = way, shortcut or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.way(x) + self.shortcut(x))


def _inverted(
    taken: int,
    middle: int,
    made: int,
    kernel: int,
    stride: int,
    squeeze: int = 0,
    *,
    expand: bool = False,
) -> nn.Module:
    parts = [] if middle == taken and not expand else [_conv(taken, middle)]
    parts.append(_depthwise(middle, kernel, stride))
    if squeeze:
        parts.append(_Squeeze(middle, squeeze))
    way = nn.Sequential(*parts, _conv(middle, made))
    return _Residual(way) if taken == made and stride == 1 else way


def _classifier(width: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 1000)]


def mobilenet() -> nn.Module:
    """MobileNetV1 (Howard et al., 2017)."""
    parts, width = [_conv(3, 32, 3, 2)], 32
    strides = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5)
    for made, stride in (*strides, (1024, 2), (1024, 1)):
        parts += [_depthwise(width, 3, stride), _conv(width, made)]
        width = made
    return nn.Sequential(*parts, *_classifier(width))


def mobilenet_v2() -> nn.Module:
    """MobileNetV2 (Sandler et al., 2018)."""
    parts, width = [_conv(3, 32, 3, 2)], 32
    table = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1))
    for factor, made, count, stride in (*table, (6, 160, 3, 2), (6, 320, 1, 1)):
        for place in range(count):
            step = 1 if place else stride
            parts.append(_inverted(width, factor * width, made, 3, step, expand=True))
            width = made
    return nn.Sequential(*parts, _conv(width, 1280), *_classifier(1280))


def mobilenet_v3() -> nn.Module:
    """MobileNetV3-Large (Howard et al., 2019), in the form of its preprint."""
    table = (
        (16, 16, 3, 1, 0), (64, 24, 3, 2, 0), (72, 24, 3, 1, 0), (72, 40, 5, 2, 18),
        (120, 40, 5, 1, 30), (120, 40, 5, 1, 30), (240, 80, 3, 2, 0), (200, 80, 3, 1, 0),
        (184, 80, 3, 1, 0), (184, 80, 3, 1, 0), (480, 112, 3, 1, 120), (672, 112, 3, 1, 168),
        (672, 160, 5, 1, 168), (672, 160, 5, 2, 168), (960, 160, 5, 1, 240),
    )  # fmt: skip
    parts, width = [_conv(3, 16, 3, 2)], 16
    for middle, made, kernel, stride, squeeze in table:
        parts.append(_inverted(width, middle, made, kernel, stride, squeeze))
        width = made
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(960, 1280), nn.Hardswish()]
    return nn.Sequential(*parts, _conv(160, 960), *head, nn.Linear(1280, 1000))


def mnasnet() -> nn.Module:
    """MnasNet (Tan et al., 2019), the variant without squeeze and excitation."""
    parts, width = [_conv(3, 32, 3, 2)], 32
    table = (
        (1, 16, 1, 1, 3), (3, 24, 3, 2, 3), (3, 40, 3, 2, 5), (6, 80, 3, 2, 5), (6, 96, 2, 1, 3),
        (6, 192, 4, 2, 5), (6, 320, 1, 1, 3),
    )  # fmt: skip
    for factor, made, count, stride, kernel in table:
        for place in range(count):
            step = 1 if place else stride
            parts.append(_inverted(width, factor * width, made, kernel, step))
            width = made
    return nn.Sequential(*parts, _conv(width, 1280), *_classifier(1280))


def resnet18() -> nn.Module:
    """ResNet-18 (He et al., 2015)."""
    parts, width = [_conv(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)], 64
    for made, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        way = nn.Sequential(_conv(width, made, 3, stride), _conv(made, made, 3))
        again = nn.Sequential(_conv(made, made, 3), _conv(made, made, 3))
        parts += [_Residual(way, _conv(width, made, 1, stride)), _Residual(again)]
        width = made
    return nn.Sequential(*parts, *_classifier(width))


class _Fire(nn.Module):
    def __init__(self, taken: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = _conv(taken, squeeze)
        self.one, self.three = _conv(squeeze, expand), _conv(squeeze, expand, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return torch.cat([self.one(x), self.three(x)], 1)


def squeezenet() -> nn.Module:
    """SqueezeNet 1.1 (Iandola et al., 2016)."""
    pool = nn.MaxPool2d(3, 2, ceil_mode=True)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 2), nn.ReLU(), pool, _Fire(64, 16, 64), _Fire(128, 16, 64), pool,
        _Fire(128, 32, 128), _Fire(256, 32, 128), pool, _Fire(256, 48, 192), _Fire(384, 48, 192),
        _Fire(384, 64, 256), _Fire(512, 64, 256), nn.Conv2d(512, 1000, 1, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    )  # fmt: skip


class _Shuffled(nn.Module):
    """A unit of ShuffleNetV2; one that halves the image sends all channels both ways."""

    def __init__(self, taken: int, made: int, stride: int) -> None:
        super().__init__()
        half = made // 2
        inner = taken if stride > 1 else half
        self.split = stride == 1
        self.side = (
            nn.Identity() if self.split
            else nn.Sequential(_depthwise(taken, 3, stride), _conv(taken, half))
        )  # fmt: skip
        self.main = nn.Sequential(
            _conv(inner, half), _depthwise(half, 3, stride), _conv(half, half)
        )

    def forward(self, x: Tensor) -> Tensor:
        first, second = x.chunk(2, 1) if self.split else (x, x)
        y = torch.cat([self.side(first), self.main(second)], 1)
        batch, width, height, length = y.shape
        return y.reshape(batch, 2, width // 2, height, length).transpose(1, 2).reshape(y.shape)


def shufflenet_v2() -> nn.Module:
    """ShuffleNetV2 of width 1 (Ma et al., 2018)."""
    parts, width = [_conv(3, 24, 3, 2), nn.MaxPool2d(3, 2, 1)], 24
    for made, count in ((116, 4), (232, 8), (464, 4)):
        for place in range(count):
            parts.append(_Shuffled(width, made, 1 if place else 2))
            width = made
    return nn.Sequential(*parts, _conv(width, 1024), *_classifier(1024))


def vgg16() -> nn.Module:
    """VGG-16 (Simonyan and Zisserman, 2014)."""
    parts, width = list[nn.Module](), 3
    for made, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            parts.append(_conv(width, made, 3))
            width = made
        parts.append(nn.MaxPool2d(2))
    head = [nn.Linear(512 * 49, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU()]
    return nn.Sequential(*parts, nn.Flatten(), *head, nn.Linear(4096, 1000))


class _PointwiseSqueeze(nn.Module):
    def __init__(self, width: int, middle: int) -> None:
        super().__init__()
        self.gates = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, middle, 1), nn.SiLU(),
            nn.Conv2d(middle, width, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        gated: Tensor = x * self.gates(x)
        return gated


def efficientnetv2_b0() -> nn.Module:
    """EfficientNetV2-B0 (Tan and Le, 2021)."""
    parts: list[nn.Module] = [_conv(3, 32, 3, 2), _conv(32, 16, 3)]
    width = 16
    for made, count in ((32, 2), (48, 2)):  # fused blocks: one full convolution, then 1x1
        for place in range(count):
            way = nn.Sequential(
                _conv(width, 4 * width, 3, 1 if place else 2), _conv(4 * width, made)
            )
            parts.append(_Residual(way) if place else way)
            width = made
    for made, count, stride, factor in ((96, 3, 2, 4), (112, 5, 1, 6), (192, 8, 2, 6)):
        for place in range(count):
            middle, step = factor * width, 1 if place else stride
            way = nn.Sequential(
                _conv(width, middle), _depthwise(middle, 3, step),
                _PointwiseSqueeze(middle, width // 4), _conv(middle, made),
            )  # fmt: skip
            parts.append(_Residual(way) if place else way)
            width = made
    return nn.Sequential(*parts, _conv(width, 1280), *_classifier(1280))


ARCHITECTURES = (
    mobilenet, mobilenet_v2, mobilenet_v3, mnasnet, resnet18, shufflenet_v2, vgg16,
    efficientnetv2_b0,
)  # fmt: skip


class _Beside(nn.Module):
    """Several side by side, so that one export is enough."""

    def __init__(self, *parts: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.squeezenet = squeezenet()

    def forward(self, x: Tensor, larger: Tensor) -> tuple[Tensor, ...]:
        return (*(part(x) for part in self.parts), self.squeezenet(larger))


def every() -> nn.Module:
    """Make all nine."""
    return _Beside(*(make() for make in ARCHITECTURES)).eval()


def few() -> nn.Module:
    """Make small ones that have every kind of layer."""
    return _Beside(mobilenet_v3(), shufflenet_v2()).eval()
