"""Keras models (``m.keras``, ``m.h5``) and SavedModel folders, read in a child process."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest import child
from compressor.ingest.options import IngestOptions

_SUFFIXES = frozenset({".keras", ".h5", ".hdf5"})
_GRAPH = "saved_model.pb"


def accepts(path: Path) -> bool:
    """Whether *path* is named like a Keras file, or is a folder that holds a SavedModel."""
    return path.suffix in _SUFFIXES or (path / _GRAPH).is_file()


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Export the model at *path* to ONNX and read it.

    Files are loaded in Keras's safe mode: no Python code, no pickles. Images keep the layout that
    the user knows, ``[batch, height, width, channels]``; inputs and outputs keep Keras's names.

    Raises:
        EdgecError: ``EXTRA_MISSING`` without TensorFlow; ``MODEL_UNREADABLE`` or
            ``MODEL_TOO_LARGE`` for a damaged file; ``MODEL_UNSUPPORTED`` for custom objects, code
            and text; ``INPUT_SHAPE_NEEDED``; ``EXPORT_FROM_KERAS_FAILED`` when the model cannot be
            converted to a graph that answers as it does.
    """
    if options.weights is not None:
        raise EdgecError(
            Code.USAGE,
            f"'{path.name}' has its own weights",
            where="--weights",
            expected="no --weights, or file.py:factory",
        )
    for package in ("tensorflow", "tf2onnx"):
        child.require(package, path)
    return child.export(path, options, framework="keras", on_death=Code.MODEL_UNREADABLE)
