"""Losses over classes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from compressor.torch_module.site import Build, Kernel, Site

_NOTHING = -(1 << 31)


def _negative_log_likelihood(site: Site) -> Kernel:
    ignored, reduction = site.integer("ignore_index", _NOTHING), site.text("reduction", "mean")

    def run(x: Tensor, labels: Tensor, weight: Tensor | None = None) -> Tensor:
        return functional.nll_loss(
            x, labels.long(), weight, ignore_index=ignored, reduction=reduction
        )

    return run


def _softmax_cross_entropy(site: Site) -> Kernel:
    loss, with_chances = _negative_log_likelihood(site), site.gives(1)

    def run(x: Tensor, labels: Tensor, weight: Tensor | None = None) -> object:
        chances = functional.log_softmax(x, 1)
        found = loss(chances, labels, weight)
        return (found, chances) if with_chances else found

    return run


OPS: Mapping[str, Build] = {
    "NegativeLogLikelihoodLoss": _negative_log_likelihood,
    "SoftmaxCrossEntropyLoss": _softmax_cross_entropy,
}
