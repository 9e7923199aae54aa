"""Quantization parameters: what an integer tensor means in real numbers.

The scheme is affine, ``real = scale * (integer - zero_point)``, as in Jacob et al., "Quantization
and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference" (CVPR 2018) and
the TensorFlow Lite 8-bit quantization specification.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.integer]
_LARGEST_BELOW = (1 << 63) - 1024  # the largest float64 that is an int64

_PART = 1 << 18  # elements that are computed at once


class IntegerType(Enum):
    """Storage types of quantized tensors."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"

    @property
    def numpy(self) -> np.dtype[np.integer]:
        """The numpy type of the same name."""
        return np.dtype(self.value)

    @property
    def low(self) -> int:
        """Smallest representable integer."""
        return int(np.iinfo(self.numpy).min)

    @property
    def high(self) -> int:
        """Largest representable integer."""
        return int(np.iinfo(self.numpy).max)


@dataclass(frozen=True, kw_only=True)
class QuantParams:
    """How the integers of one tensor map to real numbers.

    Attributes:
        dtype: storage type.
        scale: one step per channel, or a single one; each is positive and exactly a float32.
        zero_point: the integer that means 0.0, as many as scales.
        axis: the channel axis when per-channel, None when per-tensor.
    """

    dtype: IntegerType
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    def __post_init__(self) -> None:
        if len(self.scale) != len(self.zero_point) or not self.scale:
            raise ValueError("scale and zero_point must have the same, non-zero length")
        if self.axis is None and len(self.scale) != 1:
            raise ValueError("per-tensor parameters have exactly one scale")
        scale = np.asarray(self.scale, np.float64)
        exact = scale.astype(np.float32).astype(np.float64) == scale
        if not (np.isfinite(scale) & (scale > 0) & exact).all():
            raise ValueError("scales must be positive, finite and exactly representable in float32")
        if min(self.zero_point) < self.dtype.low or max(self.zero_point) > self.dtype.high:
            raise ValueError(f"zero point outside {self.dtype.value}")

    @classmethod
    def per_tensor(cls, dtype: IntegerType, scale: float, zero_point: int) -> QuantParams:
        """Return parameters with one *scale* (rounded to float32) for the whole tensor."""
        return cls(dtype=dtype, scale=(float(np.float32(scale)),), zero_point=(int(zero_point),))

    @classmethod
    def per_channel(cls, dtype: IntegerType, scale: npt.ArrayLike, axis: int) -> QuantParams:
        """Return symmetric parameters, one of *scale* for each index along *axis*."""
        scales = tuple(np.asarray(scale, np.float32).ravel().tolist())
        return cls(dtype=dtype, scale=scales, zero_point=(0,) * len(scales), axis=axis)

    @property
    def is_per_channel(self) -> bool:
        """Whether each index along ``axis`` has its own scale."""
        return self.axis is not None

    def scale_array(self) -> FloatArray:
        """Scales as float32, shape [channels] or scalar."""
        array = np.asarray(self.scale, np.float32)
        return array if self.is_per_channel else array.reshape(())

    def zero_point_array(self) -> IntArray:
        """Zero points in the storage type, shape [channels] or scalar."""
        array = np.asarray(self.zero_point, self.dtype.numpy)
        return array if self.is_per_channel else array.reshape(())

    def range(self) -> tuple[float, float]:
        """Smallest and largest real number that any channel can represent."""
        low = min(
            (self.dtype.low - z) * s for s, z in zip(self.scale, self.zero_point, strict=True)
        )
        high = max(
            (self.dtype.high - z) * s for s, z in zip(self.scale, self.zero_point, strict=True)
        )
        return low, high

    def quantize(self, real: npt.ArrayLike) -> IntArray:
        """Return the integers nearest to *real* (ties to even), saturated; any shape."""
        array = np.asarray(real)
        scale, zero = self._along(array.shape)
        result, high = np.empty(array.shape, self.dtype.numpy), self.dtype.high
        for part in _parts(array.shape):
            steps = np.rint(array[part].astype(np.float64) / scale[part]) + zero[part]
            within = np.clip(steps, self.dtype.low, min(high, _LARGEST_BELOW)).astype(result.dtype)
            result[part] = np.where(steps >= high, np.asarray(high, result.dtype), within)
        return result

    def dequantize(self, integers: npt.ArrayLike) -> FloatArray:
        """Return the real numbers that *integers* stand for, as float32; any shape."""
        array = np.asarray(integers)
        scale, zero = self._along(array.shape)
        result = np.empty(array.shape, np.float32)
        for part in _parts(array.shape):
            result[part] = (array[part].astype(np.float64) - zero[part]) * scale[part]
        return result

    def shifted(self, dtype: IntegerType) -> QuantParams:
        """Return the equal parameters in *dtype* of the same width (int8 <-> uint8)."""
        offset = dtype.low - self.dtype.low
        if dtype.high - dtype.low != self.dtype.high - self.dtype.low:
            raise ValueError(f"{self.dtype.value} and {dtype.value} differ in width")
        zero_point = tuple(z + offset for z in self.zero_point)
        return QuantParams(dtype=dtype, scale=self.scale, zero_point=zero_point, axis=self.axis)

    def _along(
        self, shape: tuple[int, ...]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return views of scales and zero points as if each element of *shape* had its own."""
        own = [1] * len(shape)
        if self.axis is not None:
            own[self.axis] = len(self.scale)
        scale = np.asarray(self.scale, np.float64).reshape(own)
        zero = np.asarray(self.zero_point, np.float64).reshape(own)
        return np.broadcast_to(scale, shape), np.broadcast_to(zero, shape)


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Yield indices of parts along the first axis: doubles of a whole weight would be large."""
    if not shape:
        yield ()
        return
    step = max(1, _PART // max(1, math.prod(shape[1:])))
    for start in range(0, shape[0], step):
        yield (slice(start, start + step),)
