"""The keyword spotter of MLPerf Tiny in PyTorch; the names of its layers are those of its weights.

Zhang et al., "Hello Edge: Keyword Spotting on Microcontrollers" (2017), with the sizes of MLPerf
Tiny's reference (Banbury et al., 2021).
"""

import torch
from torch import nn

_CHANNELS = 64


def _separable() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, groups=_CHANNELS),
        nn.BatchNorm2d(_CHANNELS, eps=1e-3),
        nn.ReLU(),
        nn.Conv2d(_CHANNELS, _CHANNELS, 1),
        nn.BatchNorm2d(_CHANNELS, eps=1e-3),
        nn.ReLU(),
    )


class DsCnn(nn.Module):
    """Spectrograms [batch, 1, 49, 10] to scores of 12 keywords."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, _CHANNELS, (10, 4), stride=2), nn.BatchNorm2d(_CHANNELS, eps=1e-3)
        )
        self.blocks = nn.Sequential(*(_separable() for _ in range(4)))
        self.fc = nn.Linear(_CHANNELS, 12)

    def forward(self, mfcc: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(mfcc, (1, 1, 4, 5))  # left, right, top, bottom: as TensorFlow
        features = self.blocks(torch.relu(self.stem(padded)))
        scores: torch.Tensor = self.fc(features.mean(dim=(2, 3)))
        return scores


def build() -> nn.Module:
    return DsCnn()
