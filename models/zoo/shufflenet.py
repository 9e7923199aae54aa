"""ShuffleNetV2 (Ma et al., 2018, https://arxiv.org/abs/1807.11164): splits and shuffles."""

import torch
from torch import Tensor, nn

from .randomize import randomized

SIDE, CLASSES = 96, 10
WIDTHS, REPEATS = (24, 48, 96, 192), (4, 8, 4)


def _pointwise(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


def _depthwise(width: int, stride: int) -> list[nn.Module]:
    conv = nn.Conv2d(width, width, 3, stride, 1, groups=width, bias=False)
    return [conv, nn.BatchNorm2d(width)]


def shuffle(x: Tensor, groups: int = 2) -> Tensor:
    """Interleave the channels of `groups` groups."""
    batch, channels, height, width = x.shape
    x = x.reshape(batch, groups, channels // groups, height, width)
    return x.transpose(1, 2).reshape(batch, channels, height, width)


class _Unit(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        half = outputs // 2
        self.stride = stride
        self.shortcut = nn.Sequential(*_depthwise(inputs, 2), *_pointwise(inputs, half))
        taken = inputs if stride == 2 else half
        self.body = nn.Sequential(
            *_pointwise(taken, half), *_depthwise(half, stride), *_pointwise(half, half)
        )
        if stride == 1:
            self.shortcut = nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        first, second = (x, x) if self.stride == 2 else x.chunk(2, dim=1)
        return shuffle(torch.cat([self.shortcut(first), self.body(second)], dim=1))


class ShuffleNet(nn.Module):
    """Classify images `[N, 3, H, W]`."""

    def __init__(self) -> None:
        """Make three stages."""
        super().__init__()
        first = WIDTHS[0]
        stem = [nn.Conv2d(3, first, 3, 2, 1, bias=False), nn.BatchNorm2d(first), nn.ReLU()]
        units: list[nn.Module] = []
        for inputs, outputs, count in zip(WIDTHS[:-1], WIDTHS[1:], REPEATS, strict=True):
            units.append(_Unit(inputs, outputs, 2))
            units += [_Unit(outputs, outputs, 1) for _ in range(count - 1)]
        self.features = nn.Sequential(
            *stem, nn.MaxPool2d(3, 2, 1), *units, *_pointwise(WIDTHS[-1], 256)
        )
        self.head = nn.Linear(256, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        """Return logits `[N, classes]`."""
        logits: Tensor = self.head(self.features(image).mean((2, 3)))
        return logits


def build() -> nn.Module:
    """Make the network."""
    image = torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return randomized(ShuffleNet(), image)
