"""From a factory's module, or a ``.pt2`` file, to a checked ONNX file."""

import onnx_ir as ir
import torch

from .._child.request import Made, Request
from .checking import check
from .exporting import export as to_onnx
from .loading import complete, load_program

SEED = 0


def export(request: Request, made: Made | None) -> None:
    """Write the model that *request* names, or that its factory *made*, as ONNX."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)  # a few small batches: waking and spinning threads costs more
    subject = load_program(request) if made is None else complete(made, request)
    ir.save(to_onnx(subject), request.model)
    check(subject, request.model)
