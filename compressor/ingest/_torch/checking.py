"""The exported file must answer as the model did."""

from functools import partial
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor

from .._child.comparing import Array, compare
from .._child.refusal import RefusalError, first_line
from .nesting import leaves, mapped
from .subject import Subject, flatten, run_once

# Sums of float32 in another order differ by some 1e-6 of the largest output, a wrong graph by more
# than any threshold.
PARITY = 1e-4
BATCHES = (1, 3)  # one sample, as devices run it, and more than the example has


def check(subject: Subject, path: Path) -> None:
    """Compare the file's answers with torch's on two batches, of two lengths where it may vary."""
    session = _opened(path)
    entries = session.get_inputs()
    fixed = all(isinstance(entry.shape[0], int) for entry in entries if entry.shape)
    for batch in BATCHES:
        change = partial(another, batch=None if fixed else batch)
        inputs = {name: mapped(value, change) for name, value in subject.inputs.items()}
        expected = flatten(run_once(subject, inputs))
        feeds = dict(zip((entry.name for entry in entries), leaves(inputs).values(), strict=True))
        answers = _answers(session, {name: value.numpy() for name, value in feeds.items()})
        for have, want in zip(answers, expected, strict=True):
            compare(have, want.numpy(), limit=PARITY, code="EXPORT_FROM_TORCH_FAILED")


def _opened(path: Path) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _refused(error) from error


def _answers(session: onnxruntime.InferenceSession, feeds: dict[str, Array]) -> list[Array]:
    try:
        answers: list[Array] = session.run(None, feeds)
    except Exception as error:
        raise _refused(error) from error
    return answers


def _refused(error: Exception) -> RefusalError:
    return RefusalError(
        "EXPORT_FROM_TORCH_FAILED",
        f"ONNX Runtime does not run the graph that torch made: {first_line(error)}",
    )


def another(value: Tensor, batch: int | None) -> Tensor:
    """Return an input like *value* with other content, and of *batch* samples unless None."""
    if value.ndim and batch is not None:
        value = value[[index % len(value) for index in range(batch)]]
    return torch.randn_like(value) if value.is_floating_point() else value.flip(0)
