"""Parity of two artifacts: how many steps of the output's scale their outputs lie apart."""

from __future__ import annotations

import numpy as np

from bench.metrics.agreement import METRIC as AGREEMENT
from bench.records import Parity
from compressor.errors import Code, EdgecError
from runtimes.protocol import Array


def parity(output: str, a: Array, b: Array, scale: float) -> Parity:
    """Compare real-valued outputs *a* and *b* [samples, ...]; *scale* is the output's step.

    Raises:
        EdgecError: ``ARTIFACT_MISMATCH`` when their shapes differ.
        ValueError: *scale* is not positive.
    """
    if a.shape != b.shape:
        raise EdgecError(
            Code.ARTIFACT_MISMATCH,
            f"two artifacts give output '{output}' in shapes {list(a.shape)} and {list(b.shape)}",
        )
    if not scale > 0:
        raise ValueError(f"scale {scale} of '{output}' is not positive")
    steps = np.abs(a.astype(np.float64) - b.astype(np.float64)) / scale
    several = a[0].size > 1
    return Parity(
        output=output,
        samples=len(a),
        mean_lsb=float(steps.mean()),
        max_lsb=float(steps.max()),
        agreement=AGREEMENT.evaluate(a, b) if several else None,
    )
