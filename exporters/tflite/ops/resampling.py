"""Resampling along one axis as the ONNX operator Resize defines it: positions, and weights of taps.

Cubic convolution: Keys, "Cubic Convolution Interpolation for Digital Image Processing" (1981). With
``antialias`` the kernel is stretched by the factor of shrinking, as image libraries do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from exporters.tflite.dialect import Unsupported

Positions = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How one axis is resampled.

    Attributes:
        size: elements before.
        out: elements after.
        scale: magnification, as stated or as the sizes imply.
        placement: the coordinate transformation.
        region: start and end as shares of the axis, for the placement ``tf_crop_and_resize``.
    """

    size: int
    out: int
    scale: float
    placement: str
    region: tuple[float, float] = (0.0, 1.0)

    def keeps(self) -> bool:
        """Whether every element stays where it is."""
        return self.size == self.out and np.array_equal(self.positions(), np.arange(self.out))

    def positions(self) -> Positions:
        """Return where each element lies in the input; elements there are at 0, 1, 2 and so on."""
        index = np.arange(self.out, dtype=np.float64)
        rule = _PLACEMENTS.get(self.placement)
        if rule is None:
            raise Unsupported(f"the placement '{self.placement}' of samples is unknown")
        return rule(self, index)

    def outside(self) -> npt.NDArray[np.bool_]:
        """Return which elements lie outside of the input and have the extrapolation value."""
        found = self.positions()
        is_cropped = self.placement == "tf_crop_and_resize"
        return is_cropped & ((found < 0) | (found > self.size - 1))


def _half_pixel(axis: Resampling, index: Positions) -> Positions:
    return (index + 0.5) / axis.scale - 0.5


def _pytorch_half_pixel(axis: Resampling, index: Positions) -> Positions:
    return _half_pixel(axis, index) if axis.out > 1 else np.zeros(axis.out)


def _half_pixel_symmetric(axis: Resampling, index: Positions) -> Positions:
    share = axis.out / (axis.scale * axis.size)
    return axis.size / 2 * (1 - share) + _half_pixel(axis, index)


def _align_corners(axis: Resampling, index: Positions) -> Positions:
    """Match the corners of an output of real-valued extent, before it is cut to whole elements."""
    extent = axis.scale * axis.size
    return index * ((axis.size - 1) / (extent - 1)) if extent > 1 else np.zeros(axis.out)


def _cropped(axis: Resampling, index: Positions) -> Positions:
    start, end = axis.region
    last = axis.size - 1
    if axis.out == 1:
        return np.full(1, 0.5 * (start + end) * last)
    return start * last + index * (end - start) * last / (axis.out - 1)


_PLACEMENTS: dict[str, Callable[[Resampling, Positions], Positions]] = {
    "half_pixel": _half_pixel,
    "pytorch_half_pixel": _pytorch_half_pixel,
    "half_pixel_symmetric": _half_pixel_symmetric,
    "asymmetric": lambda axis, index: index / axis.scale,
    "align_corners": _align_corners,
    "tf_crop_and_resize": _cropped,
}

ROUNDINGS: dict[str, Callable[[Positions], Positions]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """How neighbours are weighted.

    Attributes:
        mode: ``linear`` or ``cubic``.
        cubic: Keys' parameter *a*.
        antialias: whether the kernel is stretched when an axis shrinks.
        drops_outside: whether taps outside of the input count nothing, instead of repeating the
            outermost element.
    """

    mode: str
    cubic: float = -0.75
    antialias: bool = False
    drops_outside: bool = False

    def matrix(self, axis: Resampling) -> Weights:
        """Return the weights `[out, size]`; rows of elements outside are zero."""
        found = axis.positions()
        stretch = min(axis.scale, 1.0) if self.antialias else 1.0
        reach = int(np.ceil({"linear": 1, "cubic": 2}[self.mode] / stretch))
        taps = np.floor(found)[:, None] + np.arange(-reach, reach + 1)
        weights = self._weight(np.abs(taps - found[:, None]) * stretch)
        if self.drops_outside:
            weights = np.where((taps < 0) | (taps > axis.size - 1), 0, weights)
        weights = weights / weights.sum(axis=1, keepdims=True)
        result = np.zeros((axis.out, axis.size))
        rows = np.broadcast_to(np.arange(axis.out)[:, None], taps.shape)
        np.add.at(result, (rows, np.clip(taps, 0, axis.size - 1).astype(np.int64)), weights)
        result[axis.outside()] = 0
        return result

    def _weight(self, distance: Weights) -> Weights:
        if self.mode == "linear":
            return np.clip(1 - distance, 0, None)
        a, x = self.cubic, distance
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return np.where(x <= 1, near, np.where(x < 2, far, 0))


def nearest_matrix(axis: Resampling, rounding: str) -> Weights:
    """Return the weights `[out, size]` that pick one element each."""
    picked = nearest_elements(axis, rounding)
    result = np.zeros((axis.out, axis.size))
    result[np.arange(axis.out), picked] = 1
    result[axis.outside()] = 0
    return result


def nearest_elements(axis: Resampling, rounding: str) -> npt.NDArray[np.int64]:
    """Return which element each output takes."""
    return np.clip(ROUNDINGS[rounding](axis.positions()), 0, axis.size - 1).astype(np.int64)
