"""The older exporter of torch, by TorchScript's tracing: for models that the newer one cannot take.

It records what the model does with one example. Control flow that depends on the values is not
kept, so that its use is always reported.
"""

import warnings
from pathlib import Path

import onnx_ir as ir
import torch
from torch import Tensor, nn

from .._child.refusal import first_line
from .exporting import BATCH, output_names, tidy
from .nesting import filled, leaves
from .subject import Subject, flatten

OPSET = 17  # the newest of which all is implemented


class _Flat(nn.Module):  # type: ignore[misc] # torch is untyped here
    """A model from tensors to tensors, without dicts."""

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        assert isinstance(subject.module, nn.Module)
        self.model, self.inputs = subject.module, subject.inputs

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(flatten(self.model(**filled(self.inputs, tensors))))


def export(subject: Subject, folder: Path, *, free: bool) -> tuple[ir.Model, list[str]]:
    """Return the model that tracing makes of *subject*, and what torch doubts about it.

    Args:
        subject: a module with its examples.
        folder: where files may be written.
        free: whether the batch axis is to be dynamic.
    """
    path = folder / "scripted.onnx"
    names = output_names(subject)
    axes = {name: {0: BATCH} for name in [*subject.input_names, *names]} if free else None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.onnx.export(
            _Flat(subject).eval(),
            tuple(leaves(subject.inputs).values()),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=subject.input_names,
            output_names=names,
            dynamic_axes=axes,
        )
    doubts = [str(w.message) for w in caught if issubclass(w.category, torch.jit.TracerWarning)]
    return tidy(ir.load(path)), list(dict.fromkeys(doubts))


def note(reason: BaseException, doubts: list[str]) -> str:
    """Return what the user should know: why the older exporter was used, and what it warned of."""
    text = (
        "the model was exported by TorchScript's tracing, because torch's newer exporter failed "
        f"({first_line(reason)})"
    )
    if doubts:
        text += f"; control flow is that of one example: {doubts[0].partition('. ')[0].strip()}"
    return text
