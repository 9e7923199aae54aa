"""The exported file must answer as the model did."""

from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from .._child.comparing import compare
from .subject import Subject, flatten, run_once

# Sums of float32 in another order differ by some 1e-6 of the largest output, a wrong graph by more
# than any threshold.
PARITY = 1e-3


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
            compare(have, want.numpy(), limit=PARITY, code="EXPORT_FROM_TORCH_FAILED")


def another(value: Tensor, extra: int) -> Tensor:
    """Return an input like *value* with other content and *extra* more samples."""
    longer = torch.cat([value, value[:extra]]) if value.ndim else value
    return torch.randn_like(longer) if longer.is_floating_point() else longer.flip(0)
