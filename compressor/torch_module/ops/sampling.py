"""Images sampled at other places: resizing and warping."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """How Resize maps places of the output to the input and weighs what lies around them."""

    mode: str
    places: str
    nearest: str
    cubic: float
    antialias: bool
    exclude_outside: bool
    extrapolated: float


@dataclass(frozen=True, kw_only=True)
class _Axis:
    """One axis to resize: sizes, the scale between them, and the region of interest."""

    size: int
    result: int
    scale: float
    roi: tuple[float, float] = (0.0, 1.0)


def _resize(site: Site) -> Kernel:
    rule = _Rule(
        mode=site.text("mode", "nearest"),
        places=site.text("coordinate_transformation_mode", "half_pixel"),
        nearest=site.text("nearest_mode", "round_prefer_floor"),
        cubic=site.number("cubic_coeff_a", -0.75),
        antialias=bool(site.integer("antialias", 0)),
        exclude_outside=bool(site.integer("exclude_outside", 0)),
        extrapolated=site.number("extrapolation_value", 0.0),
    )
    known = [site.known(index) for index in (1, 2, 3)]
    axes, policy = site.integers("axes"), site.text("keep_aspect_ratio_policy", "stretch")

    def run(x: Tensor, *fed: Tensor | None) -> Tensor:
        given = [*fed, *[None] * (3 - len(fed))]
        roi, scales, sizes = (
            fixed if tensor is None else np.asarray(tensor.tolist())
            for fixed, tensor in zip(known, given, strict=True)
        )
        chosen = [a % x.ndim for a in axes] or list(range(x.ndim))
        shape = [x.shape[axis] for axis in chosen]
        plans = _axes(shape, _numbers(roi), _numbers(scales), _numbers(sizes), policy)
        real = x if x.is_floating_point() else x.to(torch.float32)
        for axis, plan in zip(chosen, plans, strict=True):
            real = _resized(real, axis, plan, rule)
        if x.is_floating_point():
            return real
        return (
            real.round().clamp(*_limits(x)).to(x.dtype)
            if rule.mode != "nearest"
            else real.to(x.dtype)
        )

    return run


def _limits(x: Tensor) -> tuple[int, int]:
    return torch.iinfo(x.dtype).min, torch.iinfo(x.dtype).max


def _numbers(array: npt.NDArray[Any] | None) -> list[float]:
    return [] if array is None else [float(number) for number in array.reshape(-1)]


def _axes(
    shape: Sequence[int], roi: list[float], scales: list[float], sizes: list[float], policy: str
) -> list[_Axis]:
    count = len(shape)
    if sizes:
        wanted = [int(size) for size in sizes]
        scales = [want / have for want, have in zip(wanted, shape, strict=True)]
        if policy != "stretch":
            common = (min if policy == "not_larger" else max)(scales)
            scales = [common] * count
            wanted = [int(common * have + 0.5) for have in shape]
    else:
        wanted = [math.floor(have * scale) for have, scale in zip(shape, scales, strict=True)]
    ends = list(zip(roi[:count], roi[count:], strict=True)) or [(0.0, 1.0)] * count
    return [
        _Axis(size=have, result=want, scale=scale, roi=region)
        for have, want, scale, region in zip(shape, wanted, scales, ends, strict=True)
    ]


def _resized(x: Tensor, axis: int, plan: _Axis, rule: _Rule) -> Tensor:
    """Return *x* resized along one axis: a weighted sum of a few elements for each result."""
    if plan.size == plan.result and plan.scale == 1.0 and rule.places != "tf_crop_and_resize":
        return x
    places, weights, outside = _tap_tensors(plan, rule, x.device, x.dtype)
    shape = [-1, *[1] * (x.ndim - 1 - axis)]
    terms = [x.index_select(axis, index) for index in places]
    if rule.mode != "nearest":
        pairs = zip(terms, weights, strict=True)
        terms = [term * weight.reshape(shape) for term, weight in pairs]
    total = functools.reduce(torch.add, terms)
    if outside is not None:
        gap = torch.full_like(total, rule.extrapolated)
        total = torch.where(outside.reshape(shape), gap, total)
    return total


@functools.lru_cache(maxsize=256)
def _tap_tensors(
    plan: _Axis, rule: _Rule, device: torch.device, dtype: torch.dtype
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], Tensor | None]:
    """Return ``_taps`` as tensors, one a tap; None when no result lies outside."""
    places, weights, outside = _taps(plan, rule)
    return (
        tuple(torch.from_numpy(column.copy()).to(device) for column in places.T),
        tuple(torch.from_numpy(column.copy()).to(device, dtype) for column in weights.T),
        torch.from_numpy(outside).to(device) if outside.any() else None,
    )


def _taps(plan: _Axis, rule: _Rule) -> tuple[npt.NDArray[np.int64], Numbers, npt.NDArray[np.bool_]]:
    """Return source places and weights [result, taps], and which results lie outside."""
    source = _sources(plan, rule)
    outside = np.zeros(plan.result, bool)
    if rule.places == "tf_crop_and_resize":
        outside = (source < 0) | (source > plan.size - 1)
    if rule.mode == "nearest":
        chosen = _nearest(source, rule.nearest).clip(0, plan.size - 1).astype(np.int64)
        return chosen[:, None], np.ones((plan.result, 1)), outside
    squeeze = min(1.0, plan.scale) if rule.antialias else 1.0
    reach = (2.0 if rule.mode == "cubic" else 1.0) / squeeze
    taps = np.arange(-math.ceil(reach) + 1, math.ceil(reach) + 1)
    places = np.floor(source)[:, None].astype(np.int64) + taps
    distance = (places - source[:, None]) * squeeze
    weights = _cubic(distance, rule.cubic) if rule.mode == "cubic" else _triangle(distance)
    inside = (places >= 0) & (places < plan.size)
    if rule.exclude_outside:
        weights = np.where(inside, weights, 0.0)
    if rule.exclude_outside or squeeze != 1.0:
        weights = weights / weights.sum(axis=1, keepdims=True)
    return places.clip(0, plan.size - 1), weights, outside


def _sources(plan: _Axis, rule: _Rule) -> Numbers:
    """Return the place in the input of every element of the output."""
    at = np.arange(plan.result, dtype=np.float64)
    match rule.places:
        case "asymmetric":
            return at / plan.scale
        case "align_corners":
            return at * (plan.size - 1) / (plan.result - 1) if plan.result > 1 else at * 0
        case "pytorch_half_pixel" if plan.result == 1:
            return np.full(1, -0.5)
        case "half_pixel_symmetric":
            adjusted = plan.result / (plan.result if plan.scale == 0 else plan.scale * plan.size)
            centre = plan.size / 2
            return centre * (1 - adjusted) + (at + 0.5) / plan.scale - 0.5
        case "tf_crop_and_resize":
            start, end = plan.roi
            if plan.result == 1:
                return np.full(1, 0.5 * (start + end) * (plan.size - 1))
            step = (end - start) * (plan.size - 1) / (plan.result - 1)
            return start * (plan.size - 1) + at * step
        case _:
            return (at + 0.5) / plan.scale - 0.5


def _nearest(source: Numbers, how: str) -> Numbers:
    match how:
        case "floor":
            return np.floor(source)
        case "ceil":
            return np.ceil(source)
        case "round_prefer_ceil":
            return np.floor(source + 0.5)
        case _:
            return np.ceil(source - 0.5)


def _triangle(distance: Numbers) -> Numbers:
    return np.maximum(0.0, 1.0 - np.abs(distance))


def _cubic(distance: Numbers, a: float) -> Numbers:
    """Keys, "Cubic convolution interpolation for digital image processing" (1981)."""
    t = np.abs(distance)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0.0))


def _grid_sample(site: Site) -> Kernel:
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(site.text("mode", "linear"))
    mode = mode or site.text("mode", "linear")
    pads, corners = site.text("padding_mode", "zeros"), bool(site.integer("align_corners", 0))
    return lambda x, grid: functional.grid_sample(x, grid, mode, pads, corners)


def _affine_grid(site: Site) -> Kernel:
    corners, size_of = bool(site.integer("align_corners", 0)), site.whole(1)
    return lambda theta, size=None: functional.affine_grid(theta, size_of(size), corners)


OPS: Mapping[str, Build] = {
    "AffineGrid": _affine_grid,
    "GridSample": _grid_sample,
    "Resize": _resize,
}
