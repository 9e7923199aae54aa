"""Samples from ``file.py:function``: arrays, or batches that are taken one by one.

What the function gives is one of: an array of samples; a pair ``(samples, labels)``; a mapping of
arrays by name; or something to iterate over, such as a generator, of batches of these forms. With
a parameter ``split`` it is called with "calibration" and with "evaluation".
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.data.spool import Spool
from compressor.data.store import CALIBRATION_SUFFIX, LABELS, SAMPLES, StoredArray
from compressor.data.user_code import load_function, split, user_failures
from compressor.errors import Code, EdgecError

Array = npt.NDArray[Any]
Batch = dict[str, Array]

_SPLITS = {"evaluation": "", "calibration": CALIBRATION_SUFFIX}
_FORMS = "an array, (samples, labels), a mapping of arrays by name, or batches of these"


class Stream:
    """Batches of one call of the user's function, spooled to disk as far as they were asked for."""

    def __init__(self, file: Path, given: object, suffix: str) -> None:
        """Read what the function has *given*; *suffix* is added to the names of its arrays."""
        self._file = file
        self._suffix = suffix
        self._batches = _batches_of(given, file)
        self._spools: dict[str, Spool] = {}
        self._taken = 0

    @property
    def arrays(self) -> dict[str, StoredArray]:
        """What has been taken so far; at least one batch."""
        self.take(1)
        return {name: spool.stored for name, spool in self._spools.items()}

    def take(self, samples: int) -> None:
        """Take batches until there are *samples*, or there are no more."""
        while min(map(len, self._spools.values()), default=0) < samples:
            with user_failures(self._file, Code.DATA_UNREADABLE):
                batch = next(self._batches, None)
            if batch is None:
                break
            self._append(_named(batch, self._file))

    def rows(self, name: str, samples: int | None) -> Array:
        """Return the first *samples* rows of array *name*."""
        return self._spools[name].rows(samples)

    def _append(self, batch: Batch) -> None:
        self._taken += 1
        named = {name + self._suffix: array for name, array in batch.items()}
        if self._spools and set(named) != set(self._spools):
            raise self._uneven(f"it has {', '.join(named)}", f"{', '.join(self._spools)}")
        try:
            for name, array in named.items():
                self._spools.setdefault(name, Spool(name)).append(array)
        except ValueError as error:
            raise self._uneven(str(error), "batches of one type and shape") from error

    def _uneven(self, what: str, expected: str) -> EdgecError:
        return EdgecError(
            Code.DATA_SHAPE,
            f"batch {self._taken} is unlike those before: {what}",
            where=str(self._file),
            expected=expected,
        )


class FunctionStore:
    """The samples that a function of the user's gives."""

    def __init__(self, spec: Path) -> None:
        """Call the function named by *spec*, once, or once for each split that it knows.

        Raises:
            EdgecError: ``DATA_NOT_FOUND`` or ``DATA_UNREADABLE``, naming file and line.
        """
        self._file = split(spec)[0]
        function = load_function(spec, Code.DATA_UNREADABLE)
        with user_failures(self._file, Code.DATA_UNREADABLE):
            takes_split = "split" in inspect.signature(function).parameters
            calls: dict[str, dict[str, str]] = (
                {suffix: {"split": name} for name, suffix in _SPLITS.items()}
                if takes_split
                else {"": {}}
            )
            self._streams = [
                Stream(self._file, function(**given), suffix) for suffix, given in calls.items()
            ]

    @property
    def arrays(self) -> Mapping[str, StoredArray]:
        """What has been taken from the function so far."""
        return dict(chain.from_iterable(stream.arrays.items() for stream in self._streams))

    def prepare(self, names: Iterable[str], samples: int) -> None:
        """Take *samples* from the streams that hold the arrays *names*."""
        wanted = set(names)
        for stream in self._streams:
            if wanted & set(stream.arrays):
                stream.take(samples)

    def read(self, name: str, samples: int | None = None) -> Array:
        """Return the first *samples* rows of array *name*."""
        stream = next(stream for stream in self._streams if name in stream.arrays)
        return stream.rows(name, samples)


def _batches_of(given: object, file: Path) -> Iterator[object]:
    if isinstance(given, Mapping | tuple) or _is_array(given):
        return iter((given,))
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        return iter(given)
    raise EdgecError(
        Code.DATA_UNREADABLE,
        f"the function gave a {type(given).__name__}",
        where=str(file),
        expected=_FORMS,
    )


def _named(batch: object, file: Path) -> Batch:
    """Return the arrays of *batch* by name; rows without a common length are refused."""
    if isinstance(batch, Mapping):
        parts = {str(name): value for name, value in batch.items()}
    elif isinstance(batch, tuple | list) and len(batch) == 2:
        parts = dict(zip((SAMPLES, LABELS), batch, strict=True))
    else:
        parts = {SAMPLES: batch}
    with user_failures(file, Code.DATA_UNREADABLE):
        arrays = {name: np.asarray(value) for name, value in parts.items()}
    if not arrays or any(array.dtype.hasobject or not array.ndim for array in arrays.values()):
        raise EdgecError(
            Code.DATA_UNREADABLE,
            "a batch holds something else than arrays of numbers with one row a sample",
            where=str(file),
            expected=_FORMS,
        )
    return arrays


def _is_array(value: object) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "shape")
