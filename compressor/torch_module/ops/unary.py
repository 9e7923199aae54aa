"""Functions of one element, without attributes and with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site


def _plain(function: Callable[[Tensor], Tensor]) -> Build:
    return lambda _: function


def _sign(x: Tensor) -> Tensor:
    return torch.sign(x.to(torch.int64)).to(x.dtype) if x.dtype in _WIDE_UNSIGNED else x.sign()


def _absolute(x: Tensor) -> Tensor:
    return x if x.dtype in (torch.uint8, *_WIDE_UNSIGNED) else x.abs()


_WIDE_UNSIGNED = (torch.uint16, torch.uint32, torch.uint64)


def _rounding(function: Callable[[Tensor], Tensor]) -> Build:
    return lambda _: lambda x: function(x) if x.is_floating_point() else x


def _leaky_relu(site: Site) -> Kernel:
    alpha = site.number("alpha", 0.01)
    return lambda x: functional.leaky_relu(x, alpha)


def _elu(site: Site) -> Kernel:
    alpha = site.number("alpha", 1.0)
    return lambda x: functional.elu(x, alpha)


def _celu(site: Site) -> Kernel:
    alpha = site.number("alpha", 1.0)
    return lambda x: functional.celu(x, alpha)


def _selu(site: Site) -> Kernel:
    alpha = site.number("alpha", 1.67326319217681884765625)
    gamma = site.number("gamma", 1.05070102214813232421875)
    return lambda x: gamma * functional.elu(x, alpha)


def _hard_sigmoid(site: Site) -> Kernel:
    alpha, beta = site.number("alpha", 0.2), site.number("beta", 0.5)
    return lambda x: (x * alpha + beta).clamp(0, 1)


def _thresholded_relu(site: Site) -> Kernel:
    alpha = site.number("alpha", 1.0)
    return lambda x: torch.where(x > alpha, x, torch.zeros_like(x))


def _shrink(site: Site) -> Kernel:
    bias, lambd = site.number("bias", 0.0), site.number("lambd", 0.5)

    def run(x: Tensor) -> Tensor:
        zero = torch.zeros_like(x)
        return torch.where(x < -lambd, x + bias, torch.where(x > lambd, x - bias, zero)).to(x.dtype)

    return run


def _gelu(site: Site) -> Kernel:
    approximate = site.text("approximate", "none")
    return lambda x: functional.gelu(x, approximate=approximate)


def _swish(site: Site) -> Kernel:
    alpha = site.number("alpha", 1.0)
    return lambda x: x * torch.sigmoid(alpha * x)


def _is_inf(site: Site) -> Kernel:
    negative, positive = site.integer("detect_negative", 1), site.integer("detect_positive", 1)

    def run(x: Tensor) -> Tensor:
        if negative and positive:
            return x.isinf()
        found = torch.zeros_like(x, dtype=torch.bool)
        if positive:
            found = found | (x == math.inf)
        return found | (x == -math.inf) if negative else found

    return run


def _bitwise_not(x: Tensor) -> Tensor:
    if x.dtype in _WIDE_UNSIGNED:
        return torch.bitwise_not(x.to(torch.int64)).to(x.dtype)
    return torch.bitwise_not(x)


OPS: Mapping[str, Build] = {
    **{
        name: _plain(function)
        for name, function in {
            "Abs": _absolute,
            "Acos": torch.acos,
            "Acosh": torch.acosh,
            "Asin": torch.asin,
            "Asinh": torch.asinh,
            "Atan": torch.atan,
            "Atanh": torch.atanh,
            "BitwiseNot": _bitwise_not,
            "Cos": torch.cos,
            "Cosh": torch.cosh,
            "Erf": torch.erf,
            "Exp": torch.exp,
            "HardSwish": functional.hardswish,
            "Identity": lambda x: x,
            "IsNaN": torch.isnan,
            "Log": torch.log,
            "Mish": functional.mish,
            "Neg": torch.neg,
            "Not": torch.logical_not,
            "Reciprocal": torch.reciprocal,
            "Relu": torch.relu,
            "Sigmoid": torch.sigmoid,
            "Sign": _sign,
            "Sin": torch.sin,
            "Sinh": torch.sinh,
            "Softplus": lambda x: functional.softplus(x, threshold=math.inf),
            "Softsign": functional.softsign,
            "Sqrt": torch.sqrt,
            "Tan": torch.tan,
            "Tanh": torch.tanh,
        }.items()
    },
    "Ceil": _rounding(torch.ceil),
    "Floor": _rounding(torch.floor),
    "Round": _rounding(torch.round),
    "Celu": _celu,
    "Elu": _elu,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "IsInf": _is_inf,
    "LeakyRelu": _leaky_relu,
    "Selu": _selu,
    "Shrink": _shrink,
    "Swish": _swish,
    "ThresholdedRelu": _thresholded_relu,
}
