"""TFLite files: float, half-precision, dynamic-range and integer models; no TensorFlow."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.ingest.options import IngestOptions


def accepts(path: Path) -> bool:
    """Whether *path* is named like a TFLite file."""
    return path.suffix == ".tflite"


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Read the TFLite model at *path* into the IR.

    Integers become annotations: constants hold real numbers, and the parameters of every tensor
    stand beside it. Inputs and outputs keep names, types and axis order of the file.

    Raises:
        EdgecError: ``MODEL_UNREADABLE`` for a file that breaks the format, ``MODEL_TOO_LARGE``,
            ``MODEL_UNSUPPORTED`` naming operator, index and tensor, ``USAGE`` for an
            ``--input-shape`` that the file contradicts.
    """
    from compressor.ingest.tflite.importer import import_file  # the schema is 20,000 lines

    return import_file(path, options)
