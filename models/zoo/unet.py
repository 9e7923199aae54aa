"""U-Net (Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597), upsampled in three ways."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .randomize import randomized

WIDTHS = (16, 32, 64, 128)
CLASSES = 4
SIDE = 128


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class UNet(nn.Module):
    """Segment images `[N, 3, H, W]` into logits `[N, classes, H, W]`."""

    def __init__(self, upsample: Callable[[int, int], nn.Module]) -> None:
        """Make the network; `upsample` makes a layer that doubles height and width."""
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(
            _block(inputs, outputs)
            for inputs, outputs in zip((3, *WIDTHS[:-1]), WIDTHS, strict=True)
        )
        pairs = list(zip(WIDTHS[:0:-1], WIDTHS[-2::-1], strict=True))
        self.up = nn.ModuleList(upsample(wide, narrow) for wide, narrow in pairs)
        self.merge = nn.ModuleList(_block(2 * narrow, narrow) for _, narrow in pairs)
        self.head = nn.Conv2d(WIDTHS[0], CLASSES, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of each pixel."""
        skips: list[Tensor] = []
        x = image
        for index, block in enumerate(self.down):
            x = block(self.pool(x) if index else x)
            skips.append(x)
        skips.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([skips.pop(), up(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits


def _made(upsample: Callable[[int, int], nn.Module]) -> nn.Module:
    image = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    return randomized(UNet(upsample), image)


def transposed() -> nn.Module:
    """Upsample by transposed convolution, without overlap."""
    return _made(lambda wide, narrow: nn.ConvTranspose2d(wide, narrow, 2, stride=2))


def overlapping() -> nn.Module:
    """Upsample by transposed convolution with overlap and padding."""
    return _made(lambda wide, narrow: nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1))


def bilinear() -> nn.Module:
    """Upsample by bilinear interpolation."""

    def upsample(wide: int, narrow: int) -> nn.Module:
        scale = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        return nn.Sequential(scale, nn.Conv2d(wide, narrow, 1))

    return _made(upsample)


def nearest() -> nn.Module:
    """Upsample by repetition."""

    def upsample(wide: int, narrow: int) -> nn.Module:
        return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(wide, narrow, 1))

    return _made(upsample)
