"""Operators that move elements without computing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site


def _reshape(site: Site) -> Kernel:
    shape_of, allow_zero = site.whole(1), bool(site.integer("allowzero", 0))

    def run(x: Tensor, shape: Tensor | None = None) -> Tensor:
        wanted = shape_of(shape)
        if not allow_zero:
            wanted = [x.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
        return x.reshape(wanted)

    return run


def _flatten(site: Site) -> Kernel:
    axis = site.integer("axis", 1)

    def run(x: Tensor) -> Tensor:
        split = axis + x.ndim if axis < 0 else axis
        return x.reshape(x.shape[:split].numel(), -1)

    return run


def _squeeze(site: Site) -> Kernel:
    axes_of = site.whole(1)

    def run(x: Tensor, axes: Tensor | None = None) -> Tensor:
        return x.squeeze(axes_of(axes) or list(range(x.ndim)))

    return run


def _unsqueeze(site: Site) -> Kernel:
    axes_of = site.whole(1)

    def run(x: Tensor, axes: Tensor | None = None) -> Tensor:
        chosen = axes_of(axes)
        rank = x.ndim + len(chosen)
        for axis in sorted(a % rank for a in chosen):
            x = x.unsqueeze(axis)
        return x

    return run


def _transpose(site: Site) -> Kernel:
    order = site.integers("perm")
    return lambda x: x.permute(order or list(reversed(range(x.ndim))))


def _concat(site: Site) -> Kernel:
    axis = site.integer("axis", 0)
    return lambda *parts: torch.cat(parts, axis)


def _split(site: Site) -> Kernel:
    axis, sizes_of, count = site.integer("axis", 0), site.whole(1), len(site.node.outputs)

    def run(x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
        wanted = sizes_of(sizes) or -(-x.shape[axis] // count)
        return tuple(x.split(wanted, axis))

    return run


def _slice(site: Site) -> Kernel:
    read = [site.whole(index) for index in range(1, 5)]

    def run(x: Tensor, *operands: Tensor | None) -> Tensor:
        fed = [*operands, *[None] * (4 - len(operands))]
        starts, ends, axes, steps = (one(tensor) for one, tensor in zip(read, fed, strict=True))
        for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
            axis = axes[index] if axes else index
            x = _sliced(x, axis % x.ndim, slice(start, end, steps[index] if steps else 1))
        return x

    return run


def _sliced(x: Tensor, axis: int, part: slice) -> Tensor:
    """Bounds work as Python's, but for an end before the first element, a very small number."""
    size = x.shape[axis]
    if part.step > 0:
        return x[(slice(None),) * axis + (part,)]
    end = None if part.stop < -size else part.stop
    places = range(size)[part.start : end : part.step]
    return x.index_select(axis, torch.tensor(list(places), dtype=torch.int64, device=x.device))


def _expand(site: Site) -> Kernel:
    shape_of = site.whole(1)

    def run(x: Tensor, shape: Tensor | None = None) -> Tensor:
        return x.expand(torch.broadcast_shapes(x.shape, tuple(shape_of(shape))))

    return run


def _tile(site: Site) -> Kernel:
    repeats_of = site.whole(1)
    return lambda x, repeats=None: x.repeat(repeats_of(repeats))


def _pad(site: Site) -> Kernel:
    pads_of, axes_of, mode = site.whole(1), site.whole(3), site.text("mode", "constant")
    value = site.known(2)
    fixed = 0.0 if value is None else value.reshape(-1)[0].item()

    def run(
        x: Tensor,
        pads: Tensor | None = None,
        value: Tensor | None = None,
        axes: Tensor | None = None,
    ) -> Tensor:
        flat = pads_of(pads)
        chosen = [a % x.ndim for a in axes_of(axes)] or list(range(x.ndim))
        around = dict.fromkeys(range(x.ndim), (0, 0))
        around.update(
            zip(chosen, zip(flat[: len(chosen)], flat[len(chosen) :], strict=True), strict=True)
        )
        if mode == "constant":
            filled = fixed if value is None else value.item()
            return functional.pad(
                x, [n for axis in reversed(range(x.ndim)) for n in around[axis]], value=filled
            )
        for axis, (begin, end) in around.items():
            if begin or end:
                places = _padded_places(x.shape[axis], begin, end, mode)
                x = x.index_select(axis, torch.from_numpy(places).to(x.device))
        return x

    return run


def _padded_places(
    size: int, begin: int, end: int, mode: str
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return which element each place of the padded axis repeats."""
    kept = np.arange(max(0, -begin), size - max(0, -end))
    how = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}[mode]
    return np.pad(kept, (max(0, begin), max(0, end)), mode=how)  # type: ignore[call-overload,no-any-return]


def _center_crop_pad(site: Site) -> Kernel:
    shape_of, axes = site.whole(1), site.integers("axes")

    def run(x: Tensor, shape: Tensor | None = None) -> Tensor:
        pads = [(0, 0)] * x.ndim
        for axis, want in zip(axes or range(x.ndim), shape_of(shape), strict=True):
            missing = want - x.shape[axis]
            begin = missing // 2 if missing >= 0 else -(-missing // 2)
            pads[axis] = (begin, missing - begin)
        return functional.pad(x, [number for pair in reversed(pads) for number in pair])

    return run


def _depth_to_space(site: Site) -> Kernel:
    block, column_first = site.integer("blocksize", 1), site.text("mode", "DCR") == "CRD"

    def run(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        depth = c // block**2
        if column_first:
            return functional.pixel_shuffle(x, block)
        blocks = x.reshape(n, block, block, depth, h, w).permute(0, 3, 4, 1, 5, 2)
        return blocks.reshape(n, depth, h * block, w * block)

    return run


def _space_to_depth(site: Site) -> Kernel:
    block = site.integer("blocksize", 1)

    def run(x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // block, block, w // block, block).permute(0, 3, 5, 1, 2, 4)
        return blocks.reshape(n, c * block**2, h // block, w // block)

    return run


def _reverse_sequence(site: Site) -> Kernel:
    """Only the first *lengths[i]* elements of each sequence turn around."""
    batch_axis, time_axis = site.integer("batch_axis", 1), site.integer("time_axis", 0)

    def run(x: Tensor, lengths: Tensor) -> Tensor:
        moved = x.movedim((batch_axis, time_axis), (0, 1))
        places = torch.arange(moved.shape[1], device=x.device)[None, :]
        ends = lengths.to(x.device)[:, None]
        index = torch.where(places < ends, ends - 1 - places, places)
        index = index.reshape(*index.shape, *[1] * (moved.ndim - 2)).expand(moved.shape)
        return moved.gather(1, index).movedim((0, 1), (batch_axis, time_axis))

    return run


def _triangle(site: Site) -> Kernel:
    upper, diagonal_of = bool(site.integer("upper", 1)), site.whole(1)

    def run(x: Tensor, diagonal: Tensor | None = None) -> Tensor:
        offset = (diagonal_of(diagonal) or [0])[0]
        offset = max(-sum(x.shape[-2:]), min(offset, sum(x.shape[-2:])))
        return x.triu(offset) if upper else x.tril(offset)

    return run


def _columns_to_image(site: Site) -> Kernel:
    """Add the elements of each window [n, c * window, positions] back at their places."""
    image_of, block_of = site.whole(1), site.whole(2)

    def run(x: Tensor, image: Tensor | None = None, block: Tensor | None = None) -> Tensor:
        size, window = image_of(image), block_of(block)
        rank = len(size)
        strides = site.integers("strides", [1] * rank)
        dilations = site.integers("dilations", [1] * rank)
        pads = site.integers("pads", [0] * (2 * rank))
        places = _window_places(size, window, strides, dilations, pads)
        batch, rows, _ = x.shape
        channels = rows // int(np.prod(window))
        padded = [n + pads[i] + pads[i + rank] for i, n in enumerate(size)]
        flat = torch.zeros(batch, channels, int(np.prod(padded)), dtype=x.dtype, device=x.device)
        index = torch.from_numpy(places.reshape(-1)).to(x.device)
        whole = flat.index_add(2, index, x.reshape(batch, channels, -1)).reshape(
            batch, channels, *padded
        )
        for axis, n in enumerate(size):
            whole = whole.narrow(axis + 2, pads[axis], n)
        return whole

    return run


def _window_places(
    size: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[int],
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return flat places in the padded image, [window elements, positions]."""
    rank = len(size)
    padded = [n + pads[i] + pads[i + rank] for i, n in enumerate(size)]
    flat = np.arange(int(np.prod(padded))).reshape(padded)
    for axis in range(rank):
        reach = (window[axis] - 1) * dilations[axis] + 1
        flat = np.lib.stride_tricks.sliding_window_view(flat, reach, axis=axis)
        flat = np.take(flat, range(0, flat.shape[axis], strides[axis]), axis=axis)
        flat = flat[..., :: dilations[axis]]
    positions = int(np.prod(flat.shape[:rank]))
    return flat.reshape(positions, -1).T


OPS: Mapping[str, Build] = {
    "CenterCropPad": _center_crop_pad,
    "Col2Im": _columns_to_image,
    "Concat": _concat,
    "DepthToSpace": _depth_to_space,
    "Expand": _expand,
    "Flatten": _flatten,
    "Pad": _pad,
    "Reshape": _reshape,
    "ReverseSequence": _reverse_sequence,
    "Slice": _slice,
    "SpaceToDepth": _space_to_depth,
    "Split": _split,
    "Squeeze": _squeeze,
    "Tile": _tile,
    "Transpose": _transpose,
    "Trilu": _triangle,
    "Unsqueeze": _unsqueeze,
}
