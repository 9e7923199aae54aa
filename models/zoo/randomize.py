"""Weights for torch modules that nobody has trained: seeded, and of a size that keeps variance."""

import math

import torch
from torch import Tensor, nn

_NORMS = ("BatchNorm1d", "BatchNorm2d", "LayerNorm", "GroupNorm", "RMSNorm")
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)


def randomized(module: nn.Module, *inputs: Tensor, seed: int = 0) -> nn.Module:
    """Fill the parameters of `module` with random numbers, in place.

    Batch normalization gets the statistics of `inputs`, disturbed, so that no layer is ignored.
    """
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            for name, parameter in part.named_parameters(recurse=False):
                parameter.copy_(_drawn(part, name, parameter, random))
        if inputs:
            _settle(module, inputs, random)
    return module.eval()


def _drawn(part: nn.Module, name: str, parameter: Tensor, random: torch.Generator) -> Tensor:
    normal = torch.randn(parameter.shape, generator=random)
    if isinstance(part, nn.RNNBase):
        return normal / math.sqrt(part.hidden_size)
    if type(part).__name__.endswith(_NORMS) and name == "weight":
        return 1 + 0.1 * normal
    if "bias" in name or (parameter.ndim < 2 and not isinstance(part, nn.PReLU)):
        return 0.1 * normal
    if isinstance(part, nn.PReLU):
        return 0.25 + 0.05 * normal
    if name != "weight" or isinstance(part, nn.Embedding):  # tokens and positions
        return 0.5 * normal
    gain = math.sqrt(2) if isinstance(part, _CONVOLUTIONS) else 1.0
    return gain * normal / math.sqrt(_fan_in(part, parameter))


def _fan_in(part: nn.Module, weight: Tensor) -> float:
    """Return how many products each result is the sum of."""
    if isinstance(part, nn.ConvTranspose1d | nn.ConvTranspose2d):
        return weight[:, 0].numel() / part.groups / math.prod(part.stride)
    by_rows = type(part).__name__ == "Conv1D"  # a linear layer of GPT-2, stored [inputs, outputs]
    return len(weight) if by_rows else weight[0].numel()


def _settle(module: nn.Module, inputs: tuple[Tensor, ...], random: torch.Generator) -> None:
    """Take the statistics of one pass over `inputs`, then disturb them."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
        norm.train()
    module(*inputs)
    for norm in norms:
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        mean += 0.1 * variance.sqrt() * torch.randn(mean.shape, generator=random)
        variance *= 0.75 + 0.5 * torch.rand(variance.shape, generator=random)
        norm.eval()
