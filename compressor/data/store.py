"""What samples lie in: arrays by name, described before they are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SAMPLES = "x"
LABELS = "y"
CALIBRATION_SUFFIX = "_calib"


@dataclass(frozen=True, kw_only=True)
class StoredArray:
    """What is known about one array before its content is read."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    column_major: bool = False

    @property
    def samples(self) -> int:
        """Length of the first axis; 0 for a scalar."""
        return self.shape[0] if self.shape else 0


class Store(Protocol):
    """Arrays of samples, one sample a row."""

    @property
    def arrays(self) -> Mapping[str, StoredArray]:
        """What there is, by name; of a stream, what has been taken from it so far."""
        ...

    def prepare(self, names: Iterable[str], samples: int) -> None:
        """Make *samples* rows of the arrays *names* known, or as many as there are."""
        ...

    def read(self, name: str, samples: int | None = None) -> Array:
        """Return the first *samples* rows (default: all that are known) of array *name*."""
        ...
