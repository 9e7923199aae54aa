"""Random shifts and mirror images, drawn anew for every image of a batch."""

import torch
from torch import Tensor
from torch.nn import functional

MAX_SHIFT = 2


def shift_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift images `[N, H, W]` by up to two pixels, black moving in, and mirror half of them."""
    count, height, width = images.shape
    padded = functional.pad(images, [MAX_SHIFT] * 4)
    rows = _window_starts(count, generator) + torch.arange(height)
    columns = _window_starts(count, generator) + torch.arange(width)
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    columns = torch.where(mirrored, columns.flip(1), columns)
    samples = torch.arange(count)[:, None, None]
    return padded[samples, rows[:, :, None], columns[:, None, :]]


def _window_starts(count: int, generator: torch.Generator) -> Tensor:
    return torch.randint(2 * MAX_SHIFT + 1, (count, 1), generator=generator)
