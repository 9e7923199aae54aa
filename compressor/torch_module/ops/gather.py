"""Reading and writing at places that are data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site
from compressor.torch_module.tensors import array_of

_REDUCE = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def _from_start(index: Tensor, size: int) -> Tensor:
    """Return *index* as int64, negative numbers counted from the end."""
    index = index.to(torch.int64)
    return torch.where(index < 0, index + size, index)


def _gather(site: Site) -> Kernel:
    axis = site.integer("axis", 0)

    def run(x: Tensor, index: Tensor) -> Tensor:
        at = axis % x.ndim
        places = _from_start(index, x.shape[at])
        if at == 0 and x.ndim == 2 and x.is_floating_point():
            return functional.embedding(places, x)
        found = x.index_select(at, places.reshape(-1))
        return found.reshape((*x.shape[:at], *index.shape, *x.shape[at + 1 :]))

    return run


def _gather_elements(site: Site) -> Kernel:
    axis = site.integer("axis", 0)
    return lambda x, index: x.gather(axis, _from_start(index, x.shape[axis]))


def _gather_nd(site: Site) -> Kernel:
    batch_axes = site.integer("batch_dims", 0)

    def run(x: Tensor, index: Tensor) -> Tensor:
        lead = x.shape[:batch_axes]
        sizes = torch.tensor(x.shape[batch_axes : batch_axes + index.shape[-1]], device=x.device)
        places = torch.where(index < 0, index + sizes, index)
        own = [
            torch.arange(n, device=x.device).reshape(*[1] * i, n, *[1] * (index.ndim - 2 - i))
            for i, n in enumerate(lead)
        ]
        return x[(*own, *places.unbind(-1))]

    return run


def _scatter_elements(site: Site) -> Kernel:
    axis, reduction = site.integer("axis", 0), site.text("reduction", "none")

    def run(x: Tensor, index: Tensor, updates: Tensor) -> Tensor:
        places = _from_start(index, x.shape[axis])
        if reduction == "none":
            return x.scatter(axis, places, updates)
        return x.scatter_reduce(axis, places, updates, _REDUCE[reduction])

    return run


def _scatter_nd(site: Site) -> Kernel:
    reduction = site.text("reduction", "none")

    def run(x: Tensor, index: Tensor, updates: Tensor) -> Tensor:
        depth = index.shape[-1]
        rows, inner = x.shape[:depth].numel(), x.shape[depth:]
        weights = [x.shape[i + 1 : depth].numel() for i in range(depth)]
        sizes = torch.tensor(x.shape[:depth], device=x.device)
        factor = torch.tensor(weights, dtype=torch.int64, device=x.device)
        places = (torch.where(index < 0, index + sizes, index) * factor).sum(-1).reshape(-1)
        flat = x.reshape(rows, inner.numel())
        new = updates.reshape(len(places), inner.numel())
        wide = places[:, None].expand_as(new)
        if reduction == "none":
            return flat.scatter(0, wide, new).reshape(x.shape)
        return flat.scatter_reduce(0, wide, new, _REDUCE[reduction]).reshape(x.shape)

    return run


def _one_hot(site: Site) -> Kernel:
    axis, depth_of = site.integer("axis", -1), site.whole(1)

    def run(index: Tensor, depth: Tensor | None, values: Tensor) -> Tensor:
        count = int(depth_of(depth)[0])
        places = _from_start(index, count)
        at = axis % (index.ndim + 1)
        classes = torch.arange(count, device=index.device)
        hot = places.unsqueeze(at) == classes.reshape(-1, *[1] * (index.ndim - at))
        return torch.where(hot, values[1], values[0])

    return run


def _compress(site: Site) -> Kernel:
    axis = site.integer("axis", 0) if site.has("axis") else None

    def run(x: Tensor, condition: Tensor) -> Tensor:
        kept = condition.nonzero()[:, 0]
        return x.reshape(-1)[kept] if axis is None else x.index_select(axis, kept)

    return run


def _non_zero(_: Site) -> Kernel:
    return lambda x: x.nonzero().T


def _unique(site: Site) -> Kernel:
    """By numpy, which tells where each value first occurs."""
    axis = site.integer("axis", 0) if site.has("axis") else None
    in_order = bool(site.integer("sorted", 1))

    def run(x: Tensor) -> tuple[Tensor, ...]:
        array = array_of(x)
        values, first, inverse, counts = np.unique(
            array, return_index=True, return_inverse=True, return_counts=True, axis=axis
        )
        inverse = inverse.reshape(-1)
        if not in_order:
            order = np.argsort(first)
            values = np.take(values, order, 0 if axis is None else axis)
            first, counts = first[order], counts[order]
            inverse = np.argsort(order)[inverse]
        found = (values, first, inverse, counts)
        return tuple(torch.from_numpy(np.ascontiguousarray(a)).to(x.device) for a in found)

    return run


OPS: Mapping[str, Build] = {
    "Compress": _compress,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "GatherND": _gather_nd,
    "NonZero": _non_zero,
    "OneHot": _one_hot,
    "ScatterElements": _scatter_elements,
    "ScatterND": _scatter_nd,
    "Unique": _unique,
}
