"""Convolutions and their transposes, plain, integer and deformable."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site
from compressor.torch_module.windows import padded, windows_of

_CONVOLVE = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}
_TRANSPOSED = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


def _conv(site: Site) -> Kernel:
    rank = site.rank(1) - 2
    if rank not in _CONVOLVE:
        raise site.refused(f"a convolution over {rank} axes")
    convolve, windows, groups = _CONVOLVE[rank], windows_of(site, rank), site.integer("group", 1)
    strides, dilations, symmetric = windows.strides, windows.dilations, windows.symmetric
    if symmetric is not None:
        return lambda x, w, b=None: convolve(x, w, b, strides, symmetric, dilations, groups)

    def run(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
        around = padded(x, windows.pads_for(x.shape[2:], w.shape[2:]))
        return convolve(around, w, b, strides, 0, dilations, groups)

    return run


def _conv_integer(site: Site) -> Kernel:
    """In float64, which holds every sum of products of 8-bit numbers exactly."""
    float_conv = _conv(site)

    def run(
        x: Tensor, w: Tensor, x_zero: Tensor | None = None, w_zero: Tensor | None = None
    ) -> Tensor:
        real, weight = x.double(), w.double()
        if x_zero is not None:
            real = real - x_zero.double()
        if w_zero is not None:
            shape = [-1, *[1] * (w.ndim - 1)] if w_zero.numel() > 1 else []
            weight = weight - w_zero.double().reshape(shape)
        return float_conv(real, weight).to(torch.int32)

    return run


def _conv_transpose(site: Site) -> Kernel:
    """All of the result first; pads then crop it, or extend it by zeros where they are negative."""
    rank = site.rank(1) - 2
    if rank not in _TRANSPOSED:
        raise site.refused(f"a transposed convolution over {rank} axes")
    transposed, windows, groups = (
        _TRANSPOSED[rank],
        windows_of(site, rank),
        site.integer("group", 1),
    )
    extra = site.integers("output_padding", [0] * rank)
    wanted = site.integers("output_shape")

    def run(x: Tensor, w: Tensor, b: Tensor | None = None) -> Tensor:
        whole = transposed(x, w, None, windows.strides, 0, 0, groups, windows.dilations)
        whole = padded(whole, [(0, more) for more in extra])
        sizes = wanted or [n * step for n, step in zip(x.shape[2:], windows.strides, strict=True)]
        pads = windows.pads
        if wanted or windows.auto in ("SAME_UPPER", "SAME_LOWER"):
            pads = _split_excess(whole.shape[2:], sizes[-rank:], upper=windows.auto == "SAME_UPPER")
        result = padded(whole, [(-begin, -end) for begin, end in pads])
        return result if b is None else result + b.reshape(-1, *[1] * rank)

    return run


def _split_excess(have: torch.Size, want: list[int], *, upper: bool) -> list[tuple[int, int]]:
    """Return how much to crop at both ends; the odd one is cropped at the end if *upper*."""
    excess = [a - b for a, b in zip(have, want, strict=True)]
    halves = [(total // 2, total - total // 2) for total in excess]
    return halves if upper else [(b, a) for a, b in halves]


def _deform_conv(site: Site) -> Kernel:
    """Dai et al., "Deformable Convolutional Networks" (ICCV 2017), version 2 with a mask."""
    windows, groups = windows_of(site, 2), site.integer("group", 1)
    offset_groups = site.integer("offset_group", 1)

    def run(
        x: Tensor, w: Tensor, offset: Tensor, b: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        (kh, kw), (oh, ow), batch = w.shape[2:], offset.shape[2:], x.shape[0]
        pads = windows.pads
        shifts = offset.reshape(batch, offset_groups, kh * kw, 2, oh, ow)
        rows = torch.arange(oh, device=x.device)[:, None] * windows.strides[0] - pads[0][0]
        columns = torch.arange(ow, device=x.device)[None, :] * windows.strides[1] - pads[1][0]
        taps = []
        for tap, (i, j) in enumerate(itertools.product(range(kh), range(kw))):
            y = rows + i * windows.dilations[0] + shifts[:, :, tap, 0]
            z = columns + j * windows.dilations[1] + shifts[:, :, tap, 1]
            sampled = _sample(x, y, z, offset_groups)
            if mask is not None:
                weights = mask.reshape(batch, offset_groups, 1, kh * kw, oh, ow)[:, :, :, tap]
                sampled = sampled * weights
            taps.append(sampled.reshape(batch, x.shape[1], oh, ow))
        return _multiply_taps(torch.stack(taps, 2), w, b, groups)

    return run


def _sample(x: Tensor, y: Tensor, z: Tensor, groups: int) -> Tensor:
    """Interpolate [n, c, h, w] at rows *y* and columns *z* [n, groups, oh, ow]; zero outside."""
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, groups, channels // groups, height * width)
    total = torch.zeros((), dtype=x.dtype, device=x.device)
    for row, column in itertools.product((y.floor(), y.floor() + 1), (z.floor(), z.floor() + 1)):
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        weight = (1 - (y - row).abs()) * (1 - (z - column).abs()) * inside
        place = row.clamp(0, height - 1) * width + column.clamp(0, width - 1)
        index = place.long().flatten(2)[:, :, None].expand(-1, -1, parts.shape[2], -1)
        found = parts.gather(3, index).reshape(*parts.shape[:3], *y.shape[2:])
        total = total + found * weight[:, :, None]
    return total


def _multiply_taps(taps: Tensor, w: Tensor, b: Tensor | None, groups: int) -> Tensor:
    """Return sums over channels and taps of [n, c, taps, oh, ow] by weights [m, c/g, kh, kw]."""
    batch, channels, count, oh, ow = taps.shape
    grouped = taps.reshape(batch, groups, channels // groups * count, oh * ow)
    weights = w.reshape(groups, w.shape[0] // groups, -1)
    result = torch.einsum("gmk,ngkp->ngmp", weights, grouped).reshape(batch, -1, oh, ow)
    return result if b is None else result + b.reshape(-1, 1, 1)


OPS: Mapping[str, Build] = {
    "Conv": _conv,
    "ConvInteger": _conv_integer,
    "ConvTranspose": _conv_transpose,
    "DeformConv": _deform_conv,
}
