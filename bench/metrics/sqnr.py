"""Signal to quantization noise: power of the source model's outputs over that of the difference."""

from __future__ import annotations

import math

import numpy as np

from bench.metric import Array, Metric, Needs
from bench.metrics._targets import real_pair


def evaluate(outputs: Array, reference: Array) -> float:
    """Return decibels over all samples; infinite for equal outputs."""
    ours, theirs = real_pair(outputs, reference)
    signal = float(np.square(theirs).sum())
    noise = float(np.square(ours - theirs).sum())
    if noise == 0:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


METRIC = Metric(name="sqnr", unit="dB", needs=Needs.REFERENCE, point=None, evaluate=evaluate)
