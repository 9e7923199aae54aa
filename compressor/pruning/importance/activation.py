"""Power that a unit adds to the outputs of what reads it: variance times squared weights.

As Sun et al., "A Simple and Effective Pruning Approach for Large Language Models", 2024, for units.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compressor.pruning.elimination import Elimination
from compressor.pruning.subject import Subject, ranked, weight_norms

NEEDS_MOMENTS = True


def rank(subject: Subject, keep: Sequence[int]) -> Elimination:  # noqa: ARG001 - no weights change
    """Return the units by ascending power; by weights where no layer with samples reads them."""
    scores = np.zeros(len(subject.dimension))
    for reader in subject.readers:
        if reader.moments is None:
            continue
        variance = np.einsum("kk->k", reader.moments.covariance[0])
        power = variance * (reader.weight**2).sum(axis=0)
        found = power[reader.columns].sum(axis=1)
        scores += found / max(float(found.mean()), 1e-30)
    return ranked(scores if scores.any() else weight_norms(subject, 2))
