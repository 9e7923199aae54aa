"""Observer: extremes and power of every channel of a tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.calibration.collect import Feeds, RunnerFactory, run_nothing

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ChannelStatistics:
    """What calibration saw of each channel; all arrays have shape [channels].

    Attributes:
        low: smallest values.
        high: largest values.
        power: mean squares.
    """

    low: Vector
    high: Vector
    power: Vector


class ChannelObserver:
    """Accumulates extremes and squares along all axes but one."""

    def __init__(self, axis: int) -> None:
        self._axis = axis
        self._low: Vector | None = None
        self._high = np.zeros(0)
        self._squares = np.zeros(0)
        self._count = 0

    def update(self, values: npt.NDArray[np.float32]) -> None:
        """Take in a batch of *values*, whose channels lie along the axis."""
        axis = self._axis % values.ndim
        others = tuple(i for i in range(values.ndim) if i != axis)
        low, high = values.min(axis=others), values.max(axis=others)
        squares = np.square(values).sum(axis=others, dtype=np.float64)
        if self._low is None:
            self._low, self._high, self._squares = low.astype(np.float64), high, squares
        else:
            self._low = np.minimum(self._low, low)
            self._high = np.maximum(self._high, high)
            self._squares = self._squares + squares
        self._count += values.size // values.shape[axis]

    def result(self) -> ChannelStatistics:
        """Return the statistics of what was seen so far."""
        if self._low is None:
            raise ValueError("no value was observed")
        return ChannelStatistics(
            low=self._low,
            high=self._high.astype(np.float64),
            power=self._squares / self._count,
        )


def collect_channels(
    model: ir.Model,
    axes: Mapping[str, int],
    batches: Iterable[Feeds],
    *,
    make_runner: RunnerFactory,
) -> Mapping[str, ChannelStatistics]:
    """Observe the values of *model* named in *axes*, each along its axis of channels."""
    observers = {name: ChannelObserver(axis) for name, axis in axes.items()}
    inputs = {value.name for value in model.graph.inputs}
    computed = [name for name in axes if name not in inputs]
    run = make_runner(model, computed) if computed else run_nothing
    for feeds in batches:
        seen = {**feeds, **dict(zip(computed, run(feeds), strict=True))}
        for name, observer in observers.items():
            observer.update(np.asarray(seen[name], np.float32))
    return {name: observer.result() for name, observer in observers.items()}
