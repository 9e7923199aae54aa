"""The same few places of every sample: what a layer's weights multiply there, and its answers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from numpy.lib.stride_tricks import sliding_window_view

from compressor.calibration.moments import PatchGeometry

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Sampler:
    """Chooses rows of a layer: output positions of a convolution, rows of a matrix product.

    Which rows of a batch are chosen depends on ``seed`` and the number of the batch alone, so that
    two models with the same positions can be compared.
    """

    geometry: PatchGeometry
    rows: int
    seed: int

    def inputs(self, values: Array, batch: int, samples: int) -> Array:
        """Return what the weights multiply in the chosen rows, [groups, rows, K]."""
        values = np.asarray(values, np.float32)
        if not self.geometry.kernel:
            return values[self._chosen(len(values), batch, samples)][None]
        geometry, rank = self.geometry, len(self.geometry.kernel)
        pads = [(0, 0), (0, 0), *zip(geometry.pads[:rank], geometry.pads[rank:], strict=True)]
        padded = np.pad(values, pads) if any(geometry.pads) else values
        extent = [(k - 1) * d + 1 for k, d in zip(geometry.kernel, geometry.dilations, strict=True)]
        windows = sliding_window_view(padded, extent, tuple(range(2, 2 + rank)))
        every = [slice(None, None, d) for d in geometry.dilations]
        strided = [slice(None, None, s) for s in geometry.strides]
        whole: tuple[Any, ...] = (slice(None), slice(None))
        windows = windows[(*whole, *strided, *every)]
        extents = windows.shape[2 : 2 + rank]
        chosen = np.unravel_index(self._chosen(prod(extents), batch, 1), extents)
        patches = windows[(*whole, *chosen)]  # [N, C, rows, ...]
        count, channels = patches.shape[:2]
        shape = (count, geometry.groups, channels // geometry.groups, patches.shape[2], -1)
        grouped = patches.reshape(shape).transpose(1, 0, 3, 2, 4)
        return np.ascontiguousarray(grouped).reshape(geometry.groups, count * patches.shape[2], -1)

    def outputs(self, values: Array, batch: int, samples: int) -> Array:
        """Return the answers in the chosen rows, [rows, outputs]."""
        if not self.geometry.kernel:
            rows = values.reshape(-1, values.shape[-1])
            return rows[self._chosen(len(rows), batch, samples)]
        flat = values.reshape(*values.shape[:2], -1)
        chosen = flat[:, :, self._chosen(flat.shape[2], batch, 1)]
        return np.asarray(chosen.transpose(0, 2, 1).reshape(-1, values.shape[1]))

    def _chosen(self, available: int, batch: int, samples: int) -> npt.NDArray[np.int64]:
        """Return which of the *available* places of one sample, or of *samples* at once."""
        random = np.random.default_rng([self.seed, batch])
        count = min(self.rows * samples, available)
        return np.sort(random.choice(available, count, replace=False))


def sampler_of(node: ir.Node, rows: int, seed: int) -> Sampler | None:
    """Return the sampler of a Conv or Gemm *node*, None when its geometry is not explicit."""
    geometry = PatchGeometry.of(node)
    return None if geometry is None else Sampler(geometry=geometry, rows=rows, seed=seed)
