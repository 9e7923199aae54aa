"""Stored samples to model input: one plan an input, applied batch by batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.data.description import Feeding
from compressor.errors import Code, EdgecError
from compressor.ir.interface import Layout, TensorSpec

Array = npt.NDArray[Any]
Axes = tuple[int, ...]

_TO = {Layout.NCHW: (0, 3, 1, 2), Layout.NHWC: (0, 2, 3, 1)}
_CHANNEL_AXIS = {Layout.NCHW: 1, Layout.NHWC: 3}
_OTHER = {Layout.NCHW: Layout.NHWC, Layout.NHWC: Layout.NCHW}


@dataclass(frozen=True, kw_only=True)
class FeedPlan:
    """How the stored samples of one input are fed.

    Attributes:
        spec: the model's input.
        axes: transposition from the stored to the model's order; None when they agree.
        channel_axis: axis of the channels as stored.
        feeding: arithmetic, applied to inputs that mean real numbers only.
    """

    spec: TensorSpec
    axes: Axes | None
    channel_axis: int
    feeding: Feeding

    def feed(self, stored: Array) -> Array:
        """Return *stored* ``[n, ...]`` in the model's type, scale and order of axes."""
        fed = self._scale(stored) if self._has_arithmetic else stored
        if self.spec.quantization is not None and not self._is_ready(stored):
            fed = self.spec.quantization.quantize(fed)
        if self.axes is not None:
            fed = fed.transpose(self.axes)
        return np.ascontiguousarray(fed, self.spec.numpy)

    @property
    def _has_arithmetic(self) -> bool:
        return self.spec.is_real and self.feeding.scales

    def _is_ready(self, stored: Array) -> bool:
        """Whether *stored* holds the very integers of an integer input, not real numbers."""
        return stored.dtype == self.spec.numpy and not self.feeding.scales

    def _scale(self, stored: Array) -> Array:
        scaled: Array = stored.astype(np.float32)
        scaled /= np.float32(self.feeding.divide)
        scaled -= self._along_channels(self.feeding.mean, stored.ndim)
        scaled /= self._along_channels(self.feeding.std, stored.ndim)
        return scaled

    def _along_channels(self, values: tuple[float, ...], ndim: int) -> Array:
        shape = [1] * ndim
        shape[self.channel_axis] = len(values)
        return np.asarray(values, np.float32).reshape(shape)


def plan_feeding(
    spec: TensorSpec, shape: tuple[int, ...], feeding: Feeding, where: str
) -> FeedPlan:
    """Plan how samples stored with *shape* ``[n, ...]`` are fed to *spec*.

    Raises:
        EdgecError: ``DATA_SHAPE`` when they do not fit, saying which layout would.
    """
    axes = _choose_axes(spec, shape, feeding.layout)
    if not _fits(spec, shape, axes):
        raise _misfit(spec, shape, feeding.layout, where)
    plan = FeedPlan(
        spec=spec, axes=axes, channel_axis=_channel_axis(spec, shape, feeding), feeding=feeding
    )
    _check_channel_values(plan, shape, where)
    return plan


def _choose_axes(spec: TensorSpec, shape: tuple[int, ...], stored: Layout | None) -> Axes | None:
    if stored is None or len(shape) != 4 or stored is spec.layout:
        return None
    swap = _TO[_OTHER[stored]]
    if spec.layout is Layout.NONE:  # the model does not say: take what fits
        return None if _fits(spec, shape, None) or not _fits(spec, shape, swap) else swap
    return swap


def _fits(spec: TensorSpec, shape: tuple[int, ...], axes: Axes | None) -> bool:
    if len(shape) != len(spec.shape) or not shape:
        return False
    fed = shape if axes is None else tuple(shape[axis] for axis in axes)
    batch = spec.shape[0] if isinstance(spec.shape[0], int) else fed[0]
    return spec.accepts((batch, *fed[1:]))


def _channel_axis(spec: TensorSpec, shape: tuple[int, ...], feeding: Feeding) -> int:
    if len(shape) == 4:
        known = feeding.layout or spec.layout
        return _CHANNEL_AXIS.get(known, 1)
    return len(shape) - 1


def _check_channel_values(plan: FeedPlan, shape: tuple[int, ...], where: str) -> None:
    channels = shape[plan.channel_axis]
    for key, values in (("mean", plan.feeding.mean), ("std", plan.feeding.std)):
        if plan.spec.is_real and len(values) not in {1, channels}:
            raise EdgecError(
                Code.DATA_SHAPE,
                f"'{key}' has {len(values)} values, the samples have {channels} channels",
                where=where,
                expected="one value, or one for each channel",
                hint='state the order of the axes as stored: layout = "NHWC" or "NCHW"',
            )


def _misfit(
    spec: TensorSpec, shape: tuple[int, ...], stated: Layout | None, where: str
) -> EdgecError:
    sample = ", ".join(map(str, shape[1:]))
    return EdgecError(
        Code.DATA_SHAPE,
        f"samples of shape [{sample}] do not fit the input '{spec.name}'",
        where=where,
        expected=str(spec),
        hint=_shape_hint(spec, shape, stated),
    )


def _shape_hint(spec: TensorSpec, shape: tuple[int, ...], stated: Layout | None) -> str:
    for layout in _TO:
        if layout is not stated and _fits(spec, shape, _choose_axes(spec, shape, layout)):
            return f'the order of the axes would fit with layout = "{layout.value}" in a .toml'
    if len(shape) + 1 == len(spec.shape):
        for axis, layout in ((1, Layout.NCHW), (3, Layout.NHWC)):
            widened = (*shape[:axis], 1, *shape[axis:])
            if _fits(spec, widened, _choose_axes(spec, widened, layout)):
                return f"add the axis of the one channel: x.reshape{widened}"
    return ""
