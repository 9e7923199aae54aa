"""Observer: exact smallest and largest value of a stream."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from compressor.calibration.table import TensorStatistics


class MinMaxObserver:
    """Keeps two numbers, however many values pass by."""

    def __init__(self) -> None:
        self._low = np.inf
        self._high = -np.inf

    def update(self, values: npt.NDArray[np.float32]) -> None:
        """Take in *values* of any shape; NaN and infinity show up in the result."""
        if values.size:
            self._low = float(np.minimum(self._low, values.min()))
            self._high = float(np.maximum(self._high, values.max()))

    def result(self) -> TensorStatistics:
        """Return what was seen so far."""
        return TensorStatistics(low=self._low, high=self._high)
