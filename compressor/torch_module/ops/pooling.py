"""Pools over windows and over everything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site
from compressor.torch_module.windows import Pads, Windows, padded, windows_of

_AVERAGE = {1: functional.avg_pool1d, 2: functional.avg_pool2d, 3: functional.avg_pool3d}
_MAXIMUM = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}


def _average_pool(site: Site) -> Kernel:
    kernel, windows, up = _kernel_of(site)
    include = bool(site.integer("count_include_pad", 0))
    pads = _library_pads(kernel, windows, up=up)
    if pads is not None and set(windows.dilations) == {1} and len(kernel) in _AVERAGE:
        pool = _AVERAGE[len(kernel)]
        return lambda x: pool(x, kernel, windows.strides, pads, False, include)

    def run(x: Tensor) -> Tensor:
        pads, extra = _all_pads(x, kernel, windows, up=up)
        ones = torch.ones((1, 1, *x.shape[2:]), dtype=x.dtype, device=x.device)
        ones = padded(padded(ones, pads, 1.0 if include else 0.0), extra)
        sums = _taken(padded(padded(x, pads), extra), kernel, windows).sum(-1)
        return sums / _taken(ones, kernel, windows).sum(-1)

    return run


def _lp_pool(site: Site) -> Kernel:
    kernel, windows, up = _kernel_of(site)
    power = site.integer("p", 2)

    def run(x: Tensor) -> Tensor:
        pads, extra = _all_pads(x, kernel, windows, up=up)
        taken = _taken(padded(padded(x, pads), extra), kernel, windows)
        return taken.abs().pow(power).sum(-1).pow(1 / power)

    return run


def _max_pool(site: Site) -> Kernel:
    kernel, windows, up = _kernel_of(site)
    pads = _library_pads(kernel, windows, up=up)
    rank, by_column = len(kernel), bool(site.integer("storage_order", 0))
    with_places = site.gives(1)

    def run(x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if x.is_floating_point() and pads is not None and rank in _MAXIMUM and not with_places:
            return _MAXIMUM[rank](x, kernel, windows.strides, pads, windows.dilations)
        around, extra = _all_pads(x, kernel, windows, up=up)
        both = [(a + c, b + d) for (a, b), (c, d) in zip(around, extra, strict=True)]
        taken = _taken(padded(x, both, _lowest(x)), kernel, windows)
        if not with_places:
            return taken.amax(-1)
        largest, index = taken.max(-1)
        places = _places(x, both, kernel, windows, by_column=by_column)
        return largest, places.expand(*taken.shape).gather(-1, index[..., None])[..., 0]

    return run


def _places(
    x: Tensor, pads: Pads, kernel: list[int], windows: Windows, *, by_column: bool
) -> Tensor:
    """Return the flat index in *x* of every element of every window."""
    count = math.prod(x.shape)
    index = torch.arange(count, device=x.device).reshape(x.shape)
    if by_column:
        spatial = math.prod(x.shape[2:])
        inner = torch.arange(spatial, device=x.device).reshape(x.shape[:1:-1])
        inner = inner.permute(*reversed(range(inner.ndim)))
        start = torch.arange(0, count, spatial, device=x.device)
        index = start.reshape(*x.shape[:2], *[1] * inner.ndim) + inner
    return _taken(padded(index, pads), kernel, windows)


def _max_unpool(site: Site) -> Kernel:
    kernel, windows, _ = _kernel_of(site)
    shape_of = site.whole(2)

    def run(x: Tensor, places: Tensor, shape: Tensor | None = None) -> Tensor:
        rows = zip(x.shape[2:], windows.strides, kernel, windows.pads, strict=True)
        natural = [*x.shape[:2], *((n - 1) * s + k - sum(pads) for n, s, k, pads in rows)]
        flat = torch.zeros(math.prod(natural), dtype=x.dtype, device=x.device)
        found = flat.index_put((places.reshape(-1),), x.reshape(-1)).reshape(natural)
        wanted = shape_of(shape)
        if not wanted or wanted == natural:
            return found
        return padded(found, [(0, b - a) for a, b in zip(natural[2:], wanted[2:], strict=True)])

    return run


def _global(reduce: Callable[[Tensor, list[int]], Tensor]) -> Build:
    return lambda _: lambda x: reduce(x, list(range(2, x.ndim)))


def _global_lp(site: Site) -> Kernel:
    power = site.integer("p", 2)
    return lambda x: x.abs().pow(power).sum(list(range(2, x.ndim)), keepdim=True).pow(1 / power)


def _kernel_of(site: Site) -> tuple[list[int], Windows, bool]:
    kernel = site.integers("kernel_shape")
    return kernel, windows_of(site, len(kernel)), bool(site.integer("ceil_mode", 0))


def _library_pads(kernel: Sequence[int], windows: Windows, *, up: bool) -> list[int] | None:
    """Return the pads where PyTorch's pool has them: alike at both ends, half a window at most."""
    pads = windows.symmetric
    if pads is None or up or any(2 * pad > k for pad, k in zip(pads, kernel, strict=True)):
        return None
    return pads


def _all_pads(x: Tensor, kernel: Sequence[int], windows: Windows, *, up: bool) -> tuple[Pads, Pads]:
    """Return the pads, and what lies beyond them when the count of windows is rounded *up*."""
    pads, extra = windows.pads_for(x.shape[2:], kernel), []
    rows = zip(x.shape[2:], kernel, pads, windows.strides, windows.dilations, strict=True)
    for size, k, (begin, end), step, gap in rows:
        reach = (k - 1) * gap + 1
        room = size + begin + end - reach
        last = -(-room // step) if up else room // step
        if up and last * step >= size + begin:  # a window must not begin in the pad behind
            last -= 1
        extra.append((0, max(0, last * step - room)))
    return pads, extra


def _taken(x: Tensor, kernel: Sequence[int], windows: Windows) -> Tensor:
    """Return the elements of every window along a new last axis."""
    rank = len(kernel)
    for axis, (k, step, gap) in enumerate(
        zip(kernel, windows.strides, windows.dilations, strict=True)
    ):
        x = x.unfold(axis + 2, (k - 1) * gap + 1, step)[..., ::gap]
    return x.flatten(x.ndim - rank)


def _lowest(x: Tensor) -> float:
    return -math.inf if x.is_floating_point() else torch.iinfo(x.dtype).min


OPS: Mapping[str, Build] = {
    "AveragePool": _average_pool,
    "GlobalAveragePool": _global(lambda x, axes: x.mean(axes, keepdim=True)),
    "GlobalLpPool": _global_lp,
    "GlobalMaxPool": _global(lambda x, axes: x.amax(axes, keepdim=True)),
    "LpPool": _lp_pool,
    "MaxPool": _max_pool,
    "MaxUnpool": _max_unpool,
}
