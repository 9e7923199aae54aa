"""Windows over spatial axes: strides, pads and dilations as attributes state them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Site

Pads = list[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Strides, dilations and (begin, end) pads of each spatial axis; *auto* is ``auto_pad``."""

    strides: list[int]
    dilations: list[int]
    pads: Pads
    auto: str

    @property
    def symmetric(self) -> list[int] | None:
        """The pads when both ends have the same and they are known in advance, else None."""
        if self.auto not in ("NOTSET", "VALID") or any(a != b or a < 0 for a, b in self.pads):
            return None
        return [begin for begin, _ in self.pads]

    def pads_for(self, sizes: Sequence[int], kernel: Sequence[int]) -> Pads:
        """Return the pads for spatial *sizes*; those of ``auto_pad`` follow from them."""
        if self.auto not in ("SAME_UPPER", "SAME_LOWER"):
            return self.pads
        rows = zip(sizes, kernel, self.strides, self.dilations, strict=True)
        totals = [
            max(0, (math.ceil(n / step) - 1) * step + (k - 1) * gap + 1 - n)
            for n, k, step, gap in rows
        ]
        if self.auto == "SAME_UPPER":
            return [(total // 2, total - total // 2) for total in totals]
        return [(total - total // 2, total // 2) for total in totals]


def windows_of(site: Site, rank: int) -> Windows:
    """Read the attributes of a node whose windows have *rank* axes."""
    pads = site.integers("pads", [0] * (2 * rank))
    return Windows(
        strides=site.integers("strides", [1] * rank),
        dilations=site.integers("dilations", [1] * rank),
        pads=list(zip(pads[:rank], pads[rank:], strict=True)),
        auto=site.text("auto_pad", "NOTSET"),
    )


def padded(x: Tensor, pads: Pads, value: float = 0.0) -> Tensor:
    """Return *x* with its last axes padded; negative pads crop."""
    flat = [number for pair in reversed(pads) for number in pair]
    return functional.pad(x, flat, value=value) if any(flat) else x
