"""A temporal convolutional network (Bai et al., 2018, https://arxiv.org/abs/1803.01271)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from .randomize import randomized

STEPS, CHANNELS, WIDTH, CLASSES = 128, 16, 48, 6


class _Causal(nn.Module):
    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.Conv1d(inputs, outputs, 3, dilation=dilation)
        self.norm = nn.BatchNorm1d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.norm(self.conv(functional.pad(x, (self.pad, 0)))))


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int, dilation: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _Causal(inputs, outputs, dilation), _Causal(outputs, outputs, dilation)
        )
        self.shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.body(x) + self.shortcut(x))


class TCN(nn.Module):
    """Classify sequences `[N, C, T]` by the features at their end."""

    def __init__(self) -> None:
        """Make four blocks of growing dilation."""
        super().__init__()
        widths = (CHANNELS, WIDTH, WIDTH, WIDTH, WIDTH)
        self.blocks = nn.Sequential(
            *(_Block(widths[i], widths[i + 1], 2**i) for i in range(len(widths) - 1))
        )
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, sequence: Tensor) -> Tensor:
        """Return logits `[N, classes]`."""
        logits: Tensor = self.head(self.blocks(sequence)[:, :, -1])
        return logits


def build() -> nn.Module:
    """Make the network."""
    sequence = torch.randn(4, CHANNELS, STEPS, generator=torch.Generator().manual_seed(1))
    return randomized(TCN(), sequence)
