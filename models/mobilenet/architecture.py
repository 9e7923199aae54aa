"""A small MobileNetV2 (Sandler et al., 2018, https://arxiv.org/abs/1801.04381).

Inverted residuals with depthwise convolutions and ReLU6, and squeeze-and-excitation with a hard
sigmoid as in MobileNetV3 (Howard et al., 2019, https://arxiv.org/abs/1905.02244).
"""

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Blocks of one width: the first has the stride, the others keep the shape."""

    width: int
    expansion: int
    blocks: int
    stride: int


STEM_WIDTH = 16
STAGES = (
    Stage(width=16, expansion=1, blocks=1, stride=1),
    Stage(width=24, expansion=4, blocks=2, stride=2),
    Stage(width=40, expansion=6, blocks=3, stride=2),
    Stage(width=64, expansion=6, blocks=2, stride=1),
)
HEAD_WIDTH = 256


class SqueezeExcite(nn.Module):
    """Scale each channel of `[N, C, H, W]` by a gate computed from all channels' means."""

    def __init__(self, channels: int) -> None:
        """Make a gate for `channels` channels through a quarter as many, in eights."""
        super().__init__()
        squeezed = max(8, channels // 4 // 8 * 8)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.relu = nn.ReLU()
        self.expand = nn.Conv2d(squeezed, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, features: Tensor) -> Tensor:
        """Return the scaled features."""
        squeezed = self.relu(self.reduce(self.pool(features)))
        gates: Tensor = self.gate(self.expand(squeezed))
        return features * gates


class InvertedResidual(nn.Module):
    """Expand, filter each channel, gate, project; added to the input where the shapes agree."""

    def __init__(self, channels: int, width: int, expansion: int, stride: int) -> None:
        """Make a block from `channels` to `width` channels with a spatial `stride`."""
        super().__init__()
        hidden = channels * expansion
        self.expand = _conv_norm_relu6(channels, hidden, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _conv_norm_relu6(hidden, hidden, 3, stride=stride, groups=hidden)
        self.squeeze_excite = SqueezeExcite(hidden)
        self.project = nn.Sequential(nn.Conv2d(hidden, width, 1, bias=False), nn.BatchNorm2d(width))
        self.has_shortcut = stride == 1 and channels == width

    def forward(self, features: Tensor) -> Tensor:
        """Return `[N, width, H / stride, W / stride]`."""
        hidden = self.squeeze_excite(self.depthwise(self.expand(features)))
        projected: Tensor = self.project(hidden)
        return features + projected if self.has_shortcut else projected


class MobileNet(nn.Module):
    """Classify images `[N, 1, 28, 28]` into logits `[N, 10]`."""

    def __init__(self, classes: int = 10) -> None:
        """Make the network with untrained weights."""
        super().__init__()
        self.stem = _conv_norm_relu6(1, STEM_WIDTH, 3)
        self.blocks = nn.Sequential(*_inverted_residuals())
        self.head = _conv_norm_relu6(STAGES[-1].width, HEAD_WIDTH, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(HEAD_WIDTH, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of each image."""
        features: Tensor = self.pool(self.head(self.blocks(self.stem(image))))
        logits: Tensor = self.classifier(self.dropout(features.flatten(1)))
        return logits


def build() -> nn.Module:
    """Make the untrained network."""
    return MobileNet()


def _conv_norm_relu6(
    channels: int, width: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU6(),
    )


def _inverted_residuals() -> list[InvertedResidual]:
    blocks: list[InvertedResidual] = []
    channels = STEM_WIDTH
    for stage in STAGES:
        for index in range(stage.blocks):
            stride = stage.stride if index == 0 else 1
            blocks.append(InvertedResidual(channels, stage.width, stage.expansion, stride))
            channels = stage.width
    return blocks
