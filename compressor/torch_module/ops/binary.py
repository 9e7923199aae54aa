"""Element-wise functions of several operands, which broadcast."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from compressor.torch_module.site import Build, Kernel, Site

_WIDE_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)
_Binary = Callable[[Tensor, Tensor], Tensor]


def _widened(function: _Binary) -> _Binary:
    """Compute the types for which PyTorch lacks arithmetic as int64; results wrap around."""

    def run(a: Tensor, b: Tensor) -> Tensor:
        if a.dtype not in _WIDE_UNSIGNED:
            return function(a, b)
        found = function(a.to(torch.int64), b.to(torch.int64))
        return found if found.dtype == torch.bool else found.to(a.dtype)

    return run


def _plain(function: _Binary) -> Build:
    return lambda _: _widened(function)


def _variadic(function: _Binary) -> Build:
    step = _widened(function)
    return lambda _: lambda *operands: functools.reduce(step, operands)


def _divide(a: Tensor, b: Tensor) -> Tensor:
    """Integers are divided towards zero."""
    return a / b if a.is_floating_point() else torch.div(a, b, rounding_mode="trunc")


def _power(a: Tensor, b: Tensor) -> Tensor:
    if a.is_floating_point() or b.is_floating_point():
        return torch.pow(a.double() if not a.is_floating_point() else a, b).to(a.dtype)
    return torch.pow(a, b).to(a.dtype)


def _modulo(site: Site) -> Kernel:
    return _widened(torch.fmod if site.integer("fmod", 0) else torch.remainder)


def _shift(site: Site) -> Kernel:
    left = site.text("direction", "LEFT") == "LEFT"
    return _widened(torch.bitwise_left_shift if left else torch.bitwise_right_shift)


def _mean(_: Site) -> Kernel:
    return lambda *operands: functools.reduce(torch.add, operands) / len(operands)


def _clip(site: Site) -> Kernel:
    """Constant bounds become numbers; NaN stays NaN."""
    low, high = site.known(1), site.known(2)
    fixed_low = None if low is None else low.reshape(()).item()
    fixed_high = None if high is None else high.reshape(()).item()

    def run(x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
        lower = fixed_low if low is None else low
        upper = fixed_high if high is None else high
        if lower is not None:
            x = torch.clamp_min(x, lower)
        return x if upper is None else torch.clamp_max(x, upper)

    return run


def _prelu(x: Tensor, slope: Tensor) -> Tensor:
    return torch.where(x < 0, x * slope, x)


def _where(_: Site) -> Kernel:
    def run(chosen: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.where(chosen, a, b)

    return run


OPS: Mapping[str, Build] = {
    "Add": _plain(torch.add),
    "And": _plain(torch.logical_and),
    "BitShift": _shift,
    "BitwiseAnd": _plain(torch.bitwise_and),
    "BitwiseOr": _plain(torch.bitwise_or),
    "BitwiseXor": _plain(torch.bitwise_xor),
    "Clip": _clip,
    "Div": _plain(_divide),
    "Equal": _plain(torch.eq),
    "Greater": _plain(torch.gt),
    "GreaterOrEqual": _plain(torch.ge),
    "Less": _plain(torch.lt),
    "LessOrEqual": _plain(torch.le),
    "Max": _variadic(torch.maximum),
    "Mean": _mean,
    "Min": _variadic(torch.minimum),
    "Mod": _modulo,
    "Mul": _plain(torch.mul),
    "Or": _plain(torch.logical_or),
    "PRelu": _plain(_prelu),
    "Pow": lambda _: _power,
    "Sub": _plain(torch.sub),
    "Sum": _variadic(torch.add),
    "Where": _where,
    "Xor": _plain(torch.logical_xor),
}
