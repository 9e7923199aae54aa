"""How far two models' answers are apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Divergence = Callable[[list[Array], list[Array]], float]


def kl_divergence(want: list[Array], have: list[Array]) -> float:
    """Return the mean Kullback-Leibler divergence, in nats, of scores along the last axis."""
    total, count = 0.0, 0
    for expected, actual in zip(want, have, strict=True):
        p, q = _log_softmax(expected), _log_softmax(actual)
        total += float((np.exp(p) * (p - q)).sum())
        count += p[..., 0].size
    return total / count


def relative_error(want: list[Array], have: list[Array]) -> float:
    """Return the squared difference over the variance of the expected values, mean of outputs."""
    shares = []
    for expected, actual in zip(want, have, strict=True):
        reference = expected.astype(np.float64)
        centred = reference - reference.mean(axis=0)
        spread = float((centred**2).sum()) or 1.0
        shares.append(float(((reference - actual) ** 2).sum()) / spread)
    return float(np.mean(shares))


def divergence_for(outputs: list[Array], *, classifies: bool) -> Divergence:
    """Return what to compare *outputs* by: as scores of classes, or as numbers."""
    scores = len(outputs) == 1 and outputs[0].ndim == 2 and outputs[0].shape[1] > 1
    return kl_divergence if scores and classifies else relative_error


def _log_softmax(values: Array) -> npt.NDArray[np.float64]:
    shifted = values.astype(np.float64) - values.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))
