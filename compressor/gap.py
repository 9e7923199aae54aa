"""How far apart two tensors are, summed up over samples, whatever the order of their axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.layout.orders import LOWEST_RANK, apply, identity, to_first, to_last

Array = npt.NDArray[Any]


class Gap:
    """Root mean squares of a tensor and of its difference to another.

    Attributes:
        shape: of the tensor.
        largest: largest difference of an element; NaN once an element is NaN in only one of them.
    """

    def __init__(self, *, relative_of_none: float = 0.0) -> None:
        """Start without samples; *relative_of_none* is the difference as long as it stays so."""
        self._none = relative_of_none
        self._signal = self._noise = 0.0
        self._count = 0
        self.largest = relative_of_none
        self.shape: tuple[int, ...] = ()

    def add(self, ours: Array, theirs: Array) -> None:
        """Take in two arrays of one shape."""
        mine, other = ours.astype(np.float64), theirs.astype(np.float64)
        same = (mine == other) | (np.isnan(mine) & np.isnan(other))
        with np.errstate(invalid="ignore"):  # equal infinities, which are no difference
            difference = np.where(same, 0.0, mine - other)
        self._noise += float(np.square(difference).sum())
        self._signal += float(np.square(mine[np.isfinite(mine)]).sum())
        largest = float(np.abs(difference).max(initial=0.0))
        self.largest = max(self.largest, largest) if np.isfinite(largest) else largest
        self._count += 1
        self.shape = ours.shape

    @property
    def relative(self) -> float:
        """The difference's size over the tensor's; infinite where only the other is not zero."""
        if self._count == 0:
            return self._none
        if self._noise == 0:
            return 0.0
        return float(np.sqrt(self._noise / self._signal)) if self._signal else float("inf")


def aligned(ours: Array, theirs: Array) -> Array | None:
    """Return *theirs* with its channels where *ours* has them; None when the sizes differ.

    Only orders that formats have are tried, channels first and last; where extents leave both
    possible, the values decide. Other ranks (an axis of one more or less) are reshaped.
    """
    if theirs.size != ours.size:
        return None
    rank = theirs.ndim
    orders = {identity(rank), to_last(rank), to_first(rank)} if rank >= LOWEST_RANK else set()
    fitting = [theirs.transpose(o) for o in sorted(orders) if apply(o, theirs.shape) == ours.shape]
    if not fitting:
        return theirs.reshape(ours.shape)
    return min(fitting, key=lambda array: _distance(ours, array)) if fitting[1:] else fitting[0]


def _distance(ours: Array, theirs: Array) -> float:
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.abs(ours.astype(np.float64) - theirs)).sum())
