"""Selection of boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from compressor.torch_module.site import Build, Kernel, Site
from compressor.torch_module.tensors import array_of

Reals = npt.NDArray[np.float32]


def _non_max_suppression(site: Site) -> Kernel:
    """By numpy: the result is a list of indices, whose length is data."""
    centred = bool(site.integer("center_point_box", 0))

    def run(boxes: Tensor, scores: Tensor, *rest: Tensor | None) -> Tensor:
        most, overlap, least = (
            None if tensor is None else tensor.reshape(-1)[0].item()
            for tensor in [*rest, *[None] * (3 - len(rest))]
        )
        corners, chances, found = _corners(array_of(boxes), centred=centred), array_of(scores), []
        for image, per_class in enumerate(chances):
            for number, row in enumerate(per_class):
                order = np.argsort(-row, kind="stable")
                order = order if least is None else order[row[order] > least]
                kept = _kept(corners[image], order, int(most or 0), overlap or 0.0)
                found += [(image, number, index) for index in kept]
        return torch.tensor(found, dtype=torch.int64, device=boxes.device).reshape(-1, 3)

    return run


def _corners(boxes: Reals, *, centred: bool) -> Reals:
    """Return boxes as (y1, x1, y2, x2), the smaller number first."""
    if centred:
        x, y, width, height = np.moveaxis(boxes, -1, 0)
        return np.stack([y - height / 2, x - width / 2, y + height / 2, x + width / 2], -1)
    y1, x1, y2, x2 = np.moveaxis(boxes, -1, 0)
    low, high = (np.minimum(y1, y2), np.minimum(x1, x2)), (np.maximum(y1, y2), np.maximum(x1, x2))
    return np.stack([*low, *high], -1)


def _kept(boxes: Reals, order: npt.NDArray[np.int64], most: int, overlap: float) -> list[int]:
    """Go through *order* and keep what overlaps no kept box by more than *overlap*."""
    kept: list[int] = []
    for index in order:
        if len(kept) == most:
            break
        if all(_overlap(boxes[index], boxes[other]) <= overlap for other in kept):
            kept.append(int(index))
    return kept


def _overlap(a: Reals, b: Reals) -> float:
    """Return intersection over union of two boxes."""
    sides = np.maximum(0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]))
    common = float(sides.prod())
    union = float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod()) - common
    return common / union if union > 0 else 0.0


OPS: Mapping[str, Build] = {"NonMaxSuppression": _non_max_suppression}
