"""MobileNetV1 at half width (Howard et al., 2017, https://arxiv.org/abs/1704.04861)."""

import torch
from torch import nn

from .randomize import randomized

SIDE, CLASSES = 96, 10
# Width and stride of each separable convolution.
_BLOCKS = (
    *((32, 1), (64, 2), (64, 1), (128, 2), (128, 1), (256, 2)),
    *((256, 1),) * 5,
    *((512, 2), (512, 1)),
)


def _separable(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
        nn.BatchNorm2d(inputs),
        nn.ReLU(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]


def build() -> nn.Module:
    """Make the network, for images `[N, 3, H, W]`."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
    ]
    width = 16
    for outputs, stride in _BLOCKS:
        layers += _separable(width, outputs, stride)
        width = outputs
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(width, CLASSES)]
    image = torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return randomized(nn.Sequential(*layers), image)
