"""Observer: first and second moments of what a layer's weights are multiplied with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from numpy.lib.stride_tricks import sliding_window_view

from compressor.ir.rewrite import attribute_ints

FEWEST_POSITIONS = 16
MOST_POSITIONS = 64
FEWEST_VECTORS = 640
VECTORS_PER_UNKNOWN = 8
_SEED = 20_160_714
_VECTORS_AT_ONCE = 384
_BYTES_AT_ONCE = 1 << 20

FloatArray = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Moments of a layer's input vectors, for each group of the layer.

    An input vector is what one output element's weights are multiplied with: the patch under a
    filter (channels, then kernel positions, as the weights lie), or a row for a matrix product.

    Attributes:
        mean: shape [groups, K].
        covariance: shape [groups, K, K].
        count: input vectors seen.
    """

    mean: FloatArray
    covariance: FloatArray
    count: int


@dataclass(frozen=True, kw_only=True)
class PatchGeometry:
    """How a layer cuts its input into vectors; all zero-dimensional for a matrix product."""

    kernel: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()
    groups: int = 1

    @classmethod
    def of(cls, node: ir.Node) -> PatchGeometry | None:
        """Return the geometry of a Conv or Gemm *node*, None when it is not explicit."""
        if node.op_type != "Conv":
            return cls()
        weight = node.inputs[1]
        if weight is None or weight.shape is None:
            return None
        if node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
            return None
        rank = len(weight.shape) - 2
        return cls(
            kernel=tuple(int(d) for d in weight.shape[2:] if isinstance(d, int)),
            strides=tuple(attribute_ints(node, "strides", [1] * rank)),
            dilations=tuple(attribute_ints(node, "dilations", [1] * rank)),
            pads=tuple(attribute_ints(node, "pads", [0] * 2 * rank)),
            groups=node.attributes.get_int("group", 1),
        )


class MomentsObserver:
    """Accumulates the Gram matrix of input vectors at a few random positions of each sample.

    Vectors are taken relative to the first batch's mean: where the mean is large and the variance
    small, float32 products of the vectors themselves would round the covariance away (Chan, Golub
    and LeVeque, "Algorithms for Computing the Sample Variance", 1983).
    """

    def __init__(self, geometry: PatchGeometry) -> None:
        self._geometry = geometry
        self._random = np.random.default_rng(_SEED)
        self._shift: FloatArray | None = None
        self._waiting: list[FloatArray] = []
        self._gram: FloatArray = np.zeros(0)
        self._sum: FloatArray = np.zeros(0)
        self._count = 0
        self._seen = 0

    def update(self, values: FloatArray) -> None:
        """Take in a batch of layer inputs, shape [N, C, ...] or [rows, K].

        Once there are enough vectors for the number of unknowns, further batches are left out.
        """
        if self._shift is not None and self._seen >= _enough(self._shift.shape[2]):
            return
        vectors = self._vectors(np.asarray(values, np.float32))
        self._seen += vectors.shape[1]
        if self._shift is None:
            # Moments about a point near the mean: no cancellation where the mean is large.
            self._shift = vectors.mean(axis=1, keepdims=True)
            self._gram = np.zeros((*vectors.shape[::2], vectors.shape[2]), np.float32)
            self._sum = np.zeros(vectors.shape[::2])
        self._waiting.append(vectors - self._shift)
        count = sum(waiting.shape[1] for waiting in self._waiting)
        if count >= _VECTORS_AT_ONCE or count * vectors[:, 0].nbytes >= _BYTES_AT_ONCE:
            self._flush()

    def result(self) -> Moments:
        """Return mean and covariance of the vectors seen so far."""
        if self._shift is None:
            raise ValueError("no input was observed")
        self._flush()
        offset = self._sum / self._count
        outer = offset[:, :, None] * offset[:, None, :]
        mean = self._shift[:, 0].astype(np.float64) + offset
        covariance = self._gram / np.float32(self._count) - outer.astype(np.float32)
        return Moments(mean=mean, covariance=covariance, count=self._count)

    def _flush(self) -> None:
        """Take what waits into the sums: few large products instead of many small ones."""
        if self._waiting:
            centred = np.concatenate(self._waiting, axis=1)
            self._gram += np.matmul(centred.transpose(0, 2, 1), centred)
            self._sum += centred.sum(axis=1, dtype=np.float64)
            self._count += centred.shape[1]
            self._waiting = []

    def _vectors(self, values: FloatArray) -> FloatArray:
        """Return input vectors as [groups, vectors, K]."""
        if not self._geometry.kernel:
            return self._rows(values.reshape(-1, values.shape[-1]), len(values))[None]
        geometry, rank = self._geometry, len(self._geometry.kernel)
        pads = [(0, 0), (0, 0), *zip(geometry.pads[:rank], geometry.pads[rank:], strict=True)]
        padded = np.pad(values, pads) if any(geometry.pads) else values
        extent = [(k - 1) * d + 1 for k, d in zip(geometry.kernel, geometry.dilations, strict=True)]
        windows = sliding_window_view(padded, extent, tuple(range(2, 2 + rank)))
        steps: tuple[Any, ...] = (..., *(slice(None, None, d) for d in geometry.dilations))
        batch, channels = values.shape[:2]
        width = channels // geometry.groups * math.prod(geometry.kernel)
        corners = self._corners(windows.shape[2 : 2 + rank], _positions(width))
        index: tuple[Any, ...] = (slice(None), slice(None), *corners)
        patches = windows[steps][index]  # [N, C, positions, ...]
        grouped = patches.reshape(
            batch, geometry.groups, -1, patches.shape[2], math.prod(geometry.kernel)
        )
        vectors = grouped.transpose(1, 0, 3, 2, 4)
        return np.ascontiguousarray(vectors).reshape(geometry.groups, -1, width)

    def _rows(self, rows: FloatArray, samples: int) -> FloatArray:
        limit = _positions(rows.shape[1]) * samples
        if len(rows) <= limit:
            return rows
        return rows[np.sort(self._random.choice(len(rows), limit, replace=False))]

    def _corners(self, extent: Sequence[int], count: int) -> list[npt.NDArray[np.int64]]:
        """Return the first tap's coordinates of *count* random outputs, one array an axis."""
        strides = self._geometry.strides
        shape = [(size - 1) // stride + 1 for size, stride in zip(extent, strides, strict=True)]
        total = math.prod(shape)
        chosen = np.sort(self._random.choice(total, min(count, total), replace=False))
        outputs = np.unravel_index(chosen, shape)
        return [axis * stride for axis, stride in zip(outputs, strides, strict=True)]


def _positions(width: int) -> int:
    """Return how many positions of a sample to look at for *width* unknown directions."""
    return min(max(width // 4, FEWEST_POSITIONS), MOST_POSITIONS)


def _enough(width: int) -> int:
    """Return how many vectors settle a covariance of *width* directions."""
    return max(FEWEST_VECTORS, VECTORS_PER_UNKNOWN * width)
