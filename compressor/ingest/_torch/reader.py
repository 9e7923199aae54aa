"""From a factory's module, a folder, or a ``.pt2`` file, to a checked ONNX file."""

import onnx_ir as ir
import torch
from torch import nn

from .._child.refusal import RefusalError
from .._child.request import Made, Request
from . import scripting
from .checking import check
from .exporting import FAILURES, single_sample
from .exporting import export as to_onnx
from .loading import complete, load_program
from .subject import Subject

SEED = 0


def export(request: Request, made: Made | None) -> list[str]:
    """Write the model that *request* names, or that its factory *made*; return notes about it."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # a few small batches: waking and spinning threads costs more
    subject, notes = _subject(request, made)
    examples = dict(subject.inputs)
    try:
        _write(to_onnx(subject), subject, request)
    except (*FAILURES, RefusalError) as reason:
        if not isinstance(subject.module, nn.Module):
            raise
        subject.inputs.update(examples)
        notes.append(_export_by_tracing(subject, request, reason))
    return notes


def _export_by_tracing(subject: Subject, request: Request, reason: Exception) -> str:
    """Use the older exporter, with a dynamic batch axis or else without; return a note."""
    for free in (True, False):
        if not free:
            subject.inputs.update(single_sample(subject.inputs))
        try:
            model, doubts = scripting.export(subject, request.folder, free=free)
            _write(model, subject, request)
        except (*FAILURES, RefusalError):
            continue
        return scripting.note(reason, doubts)
    raise reason


def _write(model: ir.Model, subject: Subject, request: Request) -> None:
    ir.save(model, request.model)
    check(subject, request.model)


def _subject(request: Request, made: Made | None) -> tuple[Subject, list[str]]:
    if made is not None:
        return complete(made, request), []
    if request.source.is_dir():
        from .folder import load_folder  # needs the package transformers, as nothing else does

        return load_folder(request)
    return load_program(request), []
