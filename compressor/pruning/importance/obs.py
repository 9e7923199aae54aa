"""Error that the readers of a unit make without it once their other inputs have made up for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compressor.pruning.elimination import Consumer, Elimination, eliminate
from compressor.pruning.subject import Subject, ranked, weight_norms

NEEDS_MOMENTS = True
_DAMPING = 0.01


def rank(subject: Subject, keep: Sequence[int]) -> Elimination:
    """Eliminate the units one after the other; by weights where no layer with samples reads them.

    ``Elimination.weights`` follow the readers that have moments, in their order.
    """
    consumers = [
        Consumer.of(
            reader.weight,
            reader.moments.covariance[0].astype(np.float64),
            reader.columns,
            _DAMPING,
        )
        for reader in subject.readers
        if reader.moments is not None
    ]
    if not consumers:
        return ranked(weight_norms(subject, 2))
    return eliminate(consumers, len(subject.dimension), keep)
