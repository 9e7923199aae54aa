"""Changes of representation, and integers as data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from compressor.torch_module.fake_quant import dynamic_parameters
from compressor.torch_module.site import Build, Kernel, Site


def _convert(_: Site) -> Kernel:
    """Nothing by itself: annotated values are rounded as they are made."""
    return lambda x: x


def _along(x: Tensor, parameter: Tensor, axis: int, block: int) -> Tensor:
    """Return *parameter* in a shape that broadcasts against *x*."""
    if block:
        wide = parameter.repeat_interleave(block, axis)
        return wide.narrow(axis, 0, x.shape[axis])
    if parameter.numel() == 1:
        return parameter.reshape(())
    shape = [1] * x.ndim
    shape[axis] = -1
    return parameter.reshape(shape)


def _quantize_linear(site: Site) -> Kernel:
    axis, block = site.integer("axis", 1), site.integer("block_size", 0)
    stated = (
        site.type_of(site.integer("output_dtype", 0)) if site.integer("output_dtype", 0) else None
    )

    def run(x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
        dtype = stated or (torch.uint8 if zero is None else zero.dtype)
        steps = torch.round(x / _along(x, scale, axis, block))
        if zero is not None:
            steps = steps + _along(x, zero, axis, block).to(steps.dtype)
        limits = torch.iinfo(dtype)
        return steps.clamp(limits.min, limits.max).to(dtype)

    return run


def _dequantize_linear(site: Site) -> Kernel:
    axis, block = site.integer("axis", 1), site.integer("block_size", 0)

    def run(x: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
        steps = x.to(scale.dtype)
        if zero is not None:
            steps = steps - _along(x, zero, axis, block).to(scale.dtype)
        return steps * _along(x, scale, axis, block)

    return run


def _dynamic_quantize_linear(_: Site) -> Kernel:
    def run(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        scale, zero = dynamic_parameters(x)
        integers = (torch.round(x / scale) + zero).clamp(0, 255).to(torch.uint8)
        return integers, scale, zero.to(torch.uint8)

    return run


OPS: Mapping[str, Build] = {
    "Convert": _convert,
    "DequantizeLinear": _dequantize_linear,
    "DynamicQuantizeLinear": _dynamic_quantize_linear,
    "QuantizeLinear": _quantize_linear,
}
