"""Reductions, and what runs along one axis: soft maxima, sorting, running sums."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site

_Reduce = Callable[[Tensor, list[int], bool], Tensor]


def _reduction(reduce: _Reduce, *, bare: Callable[[Tensor], Tensor] = lambda x: x) -> Build:
    """Build *reduce*; *bare* is what it does to each element where nothing is to be reduced."""

    def build(site: Site) -> Kernel:
        axes_of, keep = site.whole(1), bool(site.integer("keepdims", 1))
        noop = bool(site.integer("noop_with_empty_axes", 0))
        attribute = site.integers("axes")

        def run(x: Tensor, axes: Tensor | None = None) -> Tensor:
            chosen = axes_of(axes) or attribute
            if not chosen and noop:
                return bare(x)
            chosen = chosen or list(range(x.ndim))
            return bare(x) if x.ndim == 0 else reduce(x, chosen, keep).to(x.dtype)

        return run

    return build


def _extreme(function: Callable[..., Tensor], *, largest: bool) -> _Reduce:
    def reduce(x: Tensor, axes: list[int], keep: bool) -> Tensor:
        if all(x.shape[axis] for axis in axes):
            return function(x, axes, keep)
        return torch.full_like(x.sum(axes, keepdim=keep), _bound(x, largest=largest), dtype=x.dtype)

    return reduce


def _bound(x: Tensor, *, largest: bool) -> float:
    """Return the extreme of no numbers: the other end of the type's range."""
    if x.is_floating_point():
        return -math.inf if largest else math.inf
    if x.dtype == torch.bool:
        return not largest
    limits = torch.iinfo(x.dtype)
    return float(limits.min if largest else limits.max)


def _mean(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    if x.is_floating_point():
        return x.mean(axes, keepdim=keep)
    count = math.prod(x.shape[axis] for axis in axes)
    return torch.div(x.sum(axes, keepdim=keep), count, rounding_mode="trunc")


def _product(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    for axis in sorted((axis % x.ndim for axis in axes), reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


def _log_sum_exp(x: Tensor, axes: list[int], keep: bool) -> Tensor:
    return torch.logsumexp(x if x.is_floating_point() else x.double(), axes, keep)


def _argument(largest: bool) -> Build:
    def build(site: Site) -> Kernel:
        axis, keep = site.integer("axis", 0), bool(site.integer("keepdims", 1))
        last = bool(site.integer("select_last_index", 0))

        def run(x: Tensor) -> Tensor:
            seen = x.flip(axis) if last else x
            found = seen.argmax(axis, keep) if largest else seen.argmin(axis, keep)
            return x.shape[axis] - 1 - found if last else found

        return run

    return build


def _top_k(site: Site) -> Kernel:
    """By a stable sort: equal numbers keep their order."""
    axis, largest = site.integer("axis", -1), bool(site.integer("largest", 1))
    count_of = site.whole(1)

    def run(x: Tensor, count: Tensor | None = None) -> tuple[Tensor, Tensor]:
        [k] = count_of(count)
        values, places = torch.sort(x, dim=axis, descending=largest, stable=True)
        return values.narrow(axis, 0, k), places.narrow(axis, 0, k)

    return run


def _cumulative_sum(site: Site) -> Kernel:
    axis_of = site.whole(1)
    exclusive, backwards = bool(site.integer("exclusive", 0)), bool(site.integer("reverse", 0))

    def run(x: Tensor, axis: Tensor | None = None) -> Tensor:
        [chosen] = axis_of(axis)
        seen = x.flip(chosen) if backwards else x
        sums = seen.cumsum(chosen, dtype=x.dtype)
        sums = sums - seen if exclusive else sums
        return sums.flip(chosen) if backwards else sums

    return run


def _softmax(site: Site) -> Kernel:
    axis = site.integer("axis", -1)
    return lambda x: functional.softmax(x, axis)


def _log_softmax(site: Site) -> Kernel:
    axis = site.integer("axis", -1)
    return lambda x: functional.log_softmax(x, axis)


def _hardmax(site: Site) -> Kernel:
    axis = site.integer("axis", -1)

    def run(x: Tensor) -> Tensor:
        return torch.zeros_like(x).scatter(axis, x.argmax(axis, keepdim=True), 1)

    return run


OPS: Mapping[str, Build] = {
    "ArgMax": _argument(largest=True),
    "ArgMin": _argument(largest=False),
    "CumSum": _cumulative_sum,
    "Hardmax": _hardmax,
    "LogSoftmax": _log_softmax,
    "ReduceL1": _reduction(lambda x, axes, keep: x.abs().sum(axes, keepdim=keep), bare=torch.abs),
    "ReduceL2": _reduction(
        lambda x, axes, keep: x.square().sum(axes, keepdim=keep).sqrt(), bare=torch.abs
    ),
    "ReduceLogSum": _reduction(
        lambda x, axes, keep: x.sum(axes, keepdim=keep).log(), bare=torch.log
    ),
    "ReduceLogSumExp": _reduction(_log_sum_exp),
    "ReduceMax": _reduction(_extreme(torch.amax, largest=True)),
    "ReduceMean": _reduction(_mean),
    "ReduceMin": _reduction(_extreme(torch.amin, largest=False)),
    "ReduceProd": _reduction(_product),
    "ReduceSum": _reduction(lambda x, axes, keep: x.sum(axes, keepdim=keep)),
    "ReduceSumSquare": _reduction(
        lambda x, axes, keep: x.square().sum(axes, keepdim=keep), bare=torch.square
    ),
    "Softmax": _softmax,
    "TopK": _top_k,
}
