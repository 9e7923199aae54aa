"""SqueezeNet 1.1 (Iandola et al., 2016, https://arxiv.org/abs/1602.07360)."""

import torch
from torch import Tensor, nn

from .randomize import randomized

SIDE, CLASSES = 96, 10


class _Fire(nn.Module):
    def __init__(self, inputs: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(inputs, squeezed, 1), nn.ReLU())
        self.small = nn.Sequential(nn.Conv2d(squeezed, expanded, 1), nn.ReLU())
        self.large = nn.Sequential(nn.Conv2d(squeezed, expanded, 3, padding=1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        squeezed = self.squeeze(x)
        return torch.cat([self.small(squeezed), self.large(squeezed)], dim=1)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def build() -> nn.Module:
    """Make the network, for images `[N, 3, H, W]`."""
    features = nn.Sequential(
        nn.Conv2d(3, 64, 3, 2),
        nn.ReLU(),
        _pool(),
        _Fire(64, 16, 64),
        _Fire(128, 16, 64),
        _pool(),
        _Fire(128, 32, 128),
        _Fire(256, 32, 128),
        _pool(),
        _Fire(256, 48, 192),
        _Fire(384, 48, 192),
        _Fire(384, 64, 256),
        _Fire(512, 64, 256),
    )
    head = nn.Sequential(
        nn.Dropout(), nn.Conv2d(512, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    image = torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return randomized(nn.Sequential(features, head), image)
