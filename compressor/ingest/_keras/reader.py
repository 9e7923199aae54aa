"""From a Keras file, a SavedModel folder or a factory's model to a checked ONNX file."""

import absl.logging
import onnx_ir as ir
import tensorflow as tf

from .._child.request import Made, Request
from .archive import load_archive
from .checking import check
from .exporting import export as to_onnx
from .hdf5 import load_hdf5
from .model import complete, subject_of
from .saved_model import load_saved_model
from .subject import Subject


def export(request: Request, made: Made | None) -> None:
    """Write the model that *request* names, or that its factory *made*, as ONNX."""
    absl.logging.set_verbosity(absl.logging.ERROR)
    tf.config.set_visible_devices([], "GPU")
    subject = _load(request) if made is None else complete(made, request)
    ir.save(to_onnx(subject), request.model)
    check(subject, request.model)


def _load(request: Request) -> Subject:
    if request.source.is_dir():
        return load_saved_model(request)
    load = load_archive if request.source.suffix == ".keras" else load_hdf5
    return subject_of(load(request), request.shapes)
