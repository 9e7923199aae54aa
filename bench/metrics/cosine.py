"""Mean cosine similarity of each sample's outputs to the source model's."""

from __future__ import annotations

import numpy as np

from bench.metric import Array, Metric, Needs, Scores, mean_of
from bench.metrics._targets import real_pair


def scores(outputs: Array, reference: Array) -> Scores:
    """Return the cosine of each sample; 1 for two zero vectors, 0 where only one is zero."""
    ours, theirs = real_pair(outputs, reference)
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    products = np.einsum("nv,nv->n", ours, theirs)
    equal = (ours == theirs).all(axis=1)
    cosines = np.divide(products, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return np.where(equal, 1.0, np.clip(cosines, -1.0, 1.0))


METRIC = Metric(
    name="cosine",
    unit="",
    needs=Needs.REFERENCE,
    point=0.01,
    evaluate=mean_of(scores),
    scores=scores,
)
