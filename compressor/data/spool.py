"""Rows that arrive piece by piece and are kept on disk instead of in memory."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.data.store import StoredArray

Array = npt.NDArray[Any]


class Spool:
    """An array that grows at its end, in an unnamed file that goes away with it."""

    def __init__(self, name: str) -> None:
        """Make an empty spool; its first piece decides type and shape of the rows."""
        self._name = name
        self._file = tempfile.TemporaryFile(prefix="edgec-")  # noqa: SIM115 - lives as long as this
        self._dtype: np.dtype[Any] | None = None
        self._row: tuple[int, ...] = ()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def stored(self) -> StoredArray:
        """What is known of the array."""
        dtype = np.dtype(np.float32) if self._dtype is None else self._dtype
        return StoredArray(name=self._name, dtype=dtype, shape=(self._count, *self._row))

    def append(self, piece: Array) -> None:
        """Add the rows of *piece* ``[n, ...]``; ValueError unless they are like those before."""
        if self._dtype is None:
            self._dtype, self._row = piece.dtype, piece.shape[1:]
        if (piece.dtype, piece.shape[1:]) != (self._dtype, self._row):
            raise ValueError(
                f"'{self._name}' has rows {piece.dtype}{list(piece.shape[1:])}, "
                f"those before are {self._dtype}{list(self._row)}"
            )
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(piece).data.cast("B") if piece.size else b"")
        self._count += len(piece)

    def rows(self, count: int | None = None) -> Array:
        """Return the first *count* rows (default: all), mapped from the file, read-only."""
        wanted = self._count if count is None else min(count, self._count)
        shape = (wanted, *self._row)
        self._file.flush()
        if 0 in shape or self._dtype is None:
            return np.empty(shape, self.stored.dtype)
        return np.memmap(self._file, self._dtype, mode="r", shape=shape)
