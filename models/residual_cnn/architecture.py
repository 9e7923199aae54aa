"""A small residual network (He et al., 2015, https://arxiv.org/abs/1512.03385).

Basic blocks with batch norm and ReLU; where the shape changes, the shortcut is a 1x1 projection.
"""

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: `[N, C, H, W]` to `[N, width, H/s, W/s]`."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        """Make a block from `channels` to `width` channels with a spatial `stride`."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.shortcut = _shortcut(channels, width, stride)

    def forward(self, features: Tensor) -> Tensor:
        """Compute `relu(conv(relu(conv(x))) + shortcut(x))`."""
        residual = self.relu(self.norm1(self.conv1(features)))
        residual = self.norm2(self.conv2(residual))
        output: Tensor = self.relu(residual + self.shortcut(features))
        return output


class ResidualCnn(nn.Module):
    """Classify images `[N, 1, 28, 28]` into logits `[N, 10]`."""

    def __init__(self, classes: int = 10) -> None:
        """Make the network with untrained weights."""
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()
        )
        self.blocks = nn.Sequential(
            ResidualBlock(16, 16, stride=1),
            ResidualBlock(16, 32, stride=2),
            ResidualBlock(32, 32, stride=1),
            ResidualBlock(32, 80, stride=2),
            ResidualBlock(80, 80, stride=1),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(80, classes)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of each image."""
        features: Tensor = self.pool(self.blocks(self.stem(image)))
        logits: Tensor = self.classifier(features.flatten(1))
        return logits


def build() -> nn.Module:
    """Make the untrained network."""
    return ResidualCnn()


def _shortcut(channels: int, width: int, stride: int) -> nn.Module:
    if stride == 1 and channels == width:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(channels, width, 1, stride, bias=False), nn.BatchNorm2d(width))
