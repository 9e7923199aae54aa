"""The exported file must answer as the model did."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .refusal import RefusalError

Array = npt.NDArray[Any]


def compare(have: Array, want: Array, *, limit: float, code: str) -> None:
    """Refuse when two outputs differ in shape, or by more than *limit* of the largest value."""
    if have.shape != want.shape:
        difference = f"shape {have.shape} instead of {want.shape}"
    else:
        scale = float(np.abs(want).max(initial=0)) or 1.0
        error = float(np.abs(have.astype(np.float64) - want).max(initial=0)) / scale
        if error <= limit or not np.isfinite(want).all():
            return
        difference = f"a difference of {error:.1e} of the largest output"
    raise RefusalError(code, f"the exported graph answers with {difference}")
