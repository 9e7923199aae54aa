"""Normalization over batches, layers, groups and neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site

_EPSILON = 1e-5


def _batch_normalization(site: Site) -> Kernel:
    """Written out for inference: PyTorch's own gives the statistics no gradient."""
    epsilon, momentum = site.number("epsilon", _EPSILON), site.number("momentum", 0.9)
    training = bool(site.integer("training_mode", 0))

    def run(x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> object:
        shape = [-1, *[1] * (x.ndim - 2)]
        if not training:
            factor = scale / torch.sqrt(var + epsilon)
            return x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        now_mean, now_var = x.mean(axes), x.var(axes, correction=0)
        factor = scale / torch.sqrt(now_var + epsilon)
        y = (x - now_mean.reshape(shape)) * factor.reshape(shape) + bias.reshape(shape)
        kept = 1 - momentum
        return y, mean * momentum + now_mean * kept, var * momentum + now_var * kept

    return run


def _layer_normalization(site: Site) -> Kernel:
    axis, epsilon = site.integer("axis", -1), site.number("epsilon", _EPSILON)
    with_moments = site.gives(1) or site.gives(2)

    def run(x: Tensor, scale: Tensor, bias: Tensor | None = None) -> object:
        inner = x.shape[axis:]
        same = scale.shape == inner and (bias is None or bias.shape == inner)
        if same and not with_moments:
            return functional.layer_norm(x, inner, scale, bias, epsilon)
        axes = list(range(axis % x.ndim, x.ndim))
        mean = x.mean(axes, keepdim=True)
        inverse = torch.rsqrt(x.var(axes, correction=0, keepdim=True) + epsilon)
        y = (x - mean) * inverse * scale
        y = y if bias is None else y + bias
        return (y, mean, inverse) if with_moments else y

    return run


def _rms_normalization(site: Site) -> Kernel:
    axis, epsilon = site.integer("axis", -1), site.number("epsilon", _EPSILON)

    def run(x: Tensor, scale: Tensor) -> Tensor:
        axes = list(range(axis % x.ndim, x.ndim))
        return x * torch.rsqrt(x.square().mean(axes, keepdim=True) + epsilon) * scale

    return run


def _instance_normalization(site: Site) -> Kernel:
    epsilon = site.number("epsilon", _EPSILON)

    def run(x: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
        axes, shape = list(range(2, x.ndim)), [-1, *[1] * (x.ndim - 2)]
        centred = x - x.mean(axes, keepdim=True)
        inverse = torch.rsqrt(x.var(axes, correction=0, keepdim=True) + epsilon)
        return centred * inverse * scale.reshape(shape) + bias.reshape(shape)

    return run


def _group_normalization(site: Site) -> Kernel:
    groups, epsilon = site.integer("num_groups", 1), site.number("epsilon", _EPSILON)
    return lambda x, scale, bias: functional.group_norm(x, groups, scale, bias, epsilon)


def _lrn(site: Site) -> Kernel:
    """Krizhevsky et al., "ImageNet Classification with Deep CNNs" (2012), section 3.3."""
    size, bias = site.integer("size", 1), site.number("bias", 1.0)
    alpha, beta = site.number("alpha", 1e-4), site.number("beta", 0.75)
    before = (size - 1) // 2

    def run(x: Tensor) -> Tensor:
        pads = [0, 0] * (x.ndim - 2) + [before, size - 1 - before]
        around = functional.pad(x.square(), pads).unfold(1, size, 1).sum(-1)
        return x / (bias + alpha / size * around) ** beta

    return run


def _lp_normalization(site: Site) -> Kernel:
    axis, power = site.integer("axis", -1), site.integer("p", 2)

    def run(x: Tensor) -> Tensor:
        norm = x.norm(power, axis, keepdim=True)
        return torch.where(norm == 0, torch.zeros_like(x), x / norm)

    return run


def _mean_variance_normalization(site: Site) -> Kernel:
    axes = site.integers("axes", [0, 2, 3])

    def run(x: Tensor) -> Tensor:
        centred = x - x.mean(axes, keepdim=True)
        return centred / (x.var(axes, correction=0, keepdim=True).sqrt() + 1e-9)

    return run


def _dropout(site: Site) -> Kernel:
    """Inference, or training that drops nothing; ``MODEL_UNSUPPORTED`` for what is random."""
    ratio, training = site.known(1), site.known(2)
    on = site.takes(2) and (training is None or bool(training.item()))
    share = 0.5 if ratio is None else float(ratio.item())
    if on and not math.isclose(share, 0.0):
        raise site.refused("dropout in training mode gives random numbers")
    if not site.gives(1):
        return lambda x, *_: x
    return lambda x, *_: (x, torch.ones_like(x, dtype=torch.bool))


OPS: Mapping[str, Build] = {
    "BatchNormalization": _batch_normalization,
    "Dropout": _dropout,
    "GroupNormalization": _group_normalization,
    "InstanceNormalization": _instance_normalization,
    "LRN": _lrn,
    "LayerNormalization": _layer_normalization,
    "LpNormalization": _lp_normalization,
    "MeanVarianceNormalization": _mean_variance_normalization,
    "RMSNormalization": _rms_normalization,
}
