"""Checks of samples before anything is calibrated on them: errors are raised, doubts returned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compressor.errors import Code, EdgecError
from compressor.ir.interface import TensorSpec

Array = npt.NDArray[Any]

# Below this many samples the smallest and largest activations depend on chance; post-training
# quantization guides ask for some 100 to 500.
FEW_SAMPLES = 32


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A doubt about the data that does not stop the work: its topic, what, and what to try."""

    code: Code
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}" if self.hint else self.what


def check_counts(samples: int, labels: int | None, where: str) -> None:
    """Raise ``DATA_EMPTY`` when there are no samples, or not as many labels as samples."""
    if samples == 0:
        raise EdgecError(
            Code.DATA_EMPTY, "there are no samples", where=where, expected="at least one sample"
        )
    if labels is not None and labels != samples:
        raise EdgecError(
            Code.DATA_EMPTY,
            f"there are {samples} samples but {labels} labels",
            where=where,
            expected="one label for each sample",
        )


def check_dtype(dtype: np.dtype[Any], spec: TensorSpec, where: str) -> None:
    """Raise ``DATA_DTYPE`` when arrays of *dtype* cannot be fed to the input *spec*."""
    wanted = spec.numpy
    numeric = dtype.kind in "biuf"
    fractional_for_integer = not spec.is_real and wanted.kind in "biu" and dtype.kind == "f"
    if not numeric or fractional_for_integer:
        raise EdgecError(
            Code.DATA_DTYPE,
            f"samples of type {dtype} cannot be fed to input '{spec.name}' of type {wanted}",
            where=where,
            expected="whole numbers" if wanted.kind in "biu" else "numbers",
        )


def check_integer_range(array: Array, spec: TensorSpec, where: str) -> None:
    """Raise ``DATA_DTYPE`` when integers of *array* do not fit the integer input *spec*."""
    if spec.is_real or spec.numpy.kind not in "iu" or array.dtype.kind not in "iu":
        return
    allowed = np.iinfo(spec.numpy)
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    if low < allowed.min or high > allowed.max:
        raise EdgecError(
            Code.DATA_DTYPE,
            f"samples range over {low}..{high}, input '{spec.name}' takes {spec.dtype}",
            where=where,
            expected=f"values within {allowed.min}..{allowed.max}",
        )


def check_finite(array: Array, where: str) -> None:
    """Raise ``DATA_NOT_FINITE`` naming the first element that is NaN or infinite as float32."""
    if array.dtype.kind != "f":
        return
    with np.errstate(over="ignore"):
        finite = np.isfinite(array.astype(np.float32, copy=False))
    if not finite.all():
        index = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise EdgecError(
            Code.DATA_NOT_FINITE,
            f"element {list(index)} is {array[index]}",
            where=where,
            expected="finite numbers within the range of float32",
        )


def few_samples(count: int, where: str) -> list[Finding]:
    """Doubt calibration on fewer than ``FEW_SAMPLES`` samples."""
    if count >= FEW_SAMPLES:
        return []
    what = f"{where}: {count} samples are few to calibrate on"
    return [Finding(code=Code.DATA_EMPTY, what=what, hint="give 100 or more")]


def constant_channels(array: Array, axis: int, where: str) -> list[Finding]:
    """Doubt channels (along *axis*) that hold one value in all samples of a float input."""
    if array.ndim < 2 or len(array) < 2:
        return []
    others = tuple(i for i in range(array.ndim) if i != axis)
    for part in (array[:FEW_SAMPLES], array):  # a few samples acquit almost every channel
        constant = np.flatnonzero(part.min(axis=others) == part.max(axis=others))
        if not constant.size:
            return []
    named = ", ".join(map(str, constant[:5])) + (", ..." if constant.size > 5 else "")
    what = f"{where}: {constant.size} of {array.shape[axis]} channels never change ({named})"
    return [Finding(code=Code.DATA_RANGE, what=what)]
