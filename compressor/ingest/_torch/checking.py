"""The exported file must answer as the model did."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor

from .refusal import RefusalError
from .subject import Subject, flatten, run_once

# Sums of float32 in another order differ by some 1e-6 of the largest output, a wrong graph by more
# than any threshold.
PARITY = 1e-3

Array = npt.NDArray[Any]


def check(subject: Subject, path: Path) -> None:
    """Compare the file's answers with torch's on two batches, of two lengths where it may vary."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    fixed = all(isinstance(entry.shape[0], int) for entry in session.get_inputs() if entry.shape)
    for extra in (0, 0 if fixed else 1):
        inputs = {name: another(value, extra) for name, value in subject.inputs.items()}
        expected = flatten(run_once(subject, inputs))
        values = [value.numpy() for value in inputs.values()]
        names = [entry.name for entry in session.get_inputs()]
        answers = session.run(None, dict(zip(names, values, strict=True)))
        for have, want in zip(answers, expected, strict=True):
            compare(have, want.numpy())


def another(value: Tensor, extra: int) -> Tensor:
    """Return an input like *value* with other content and *extra* more samples."""
    longer = torch.cat([value, value[:extra]]) if value.ndim else value
    return torch.randn_like(longer) if longer.is_floating_point() else longer.flip(0)


def compare(have: Array, want: Array) -> None:
    """Refuse when two outputs differ in shape, or by more than ``PARITY`` of the largest value."""
    if have.shape != want.shape:
        difference = f"shape {have.shape} instead of {want.shape}"
    else:
        scale = float(np.abs(want).max(initial=0)) or 1.0
        error = float(np.abs(have.astype(np.float64) - want).max(initial=0)) / scale
        if error <= PARITY or not np.isfinite(want).all():
            return
        difference = f"a difference of {error:.1e} of the largest output"
    raise RefusalError("EXPORT_FROM_TORCH_FAILED", f"the exported graph answers with {difference}")
