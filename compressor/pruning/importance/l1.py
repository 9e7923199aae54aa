"""L1 norm of a unit's weights (Li et al., "Pruning Filters for Efficient ConvNets", 2017)."""

from __future__ import annotations

from collections.abc import Sequence

from compressor.pruning.elimination import Elimination
from compressor.pruning.subject import Subject, ranked, weight_norms

NEEDS_MOMENTS = False


def rank(subject: Subject, keep: Sequence[int]) -> Elimination:  # noqa: ARG001 - no weights change
    """Return the units by ascending sum of the absolute weights that they make and are read by."""
    return ranked(weight_norms(subject, 1))
