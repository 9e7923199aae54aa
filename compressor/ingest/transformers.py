"""Folders of the transformers package (config.json, safetensors), read in a child process."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest import child
from compressor.ingest.options import IngestOptions

_CONFIG = "config.json"
# Nothing is fetched, whatever a configuration names.
_ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "USE_TF": "0",
}


def accepts(path: Path) -> bool:
    """Whether *path* is a folder with a configuration of a model."""
    return path.is_dir() and (path / _CONFIG).is_file()


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Export the model in the folder at *path* to ONNX and read it.

    The model is one of the package's own; nothing is downloaded, no code of the folder is run and
    no pickle is read. Images take the size that the configuration states; for the length of texts
    and sounds ``--input-shape`` is needed.

    Raises:
        EdgecError: ``EXTRA_MISSING`` without the packages; ``MODEL_UNREADABLE`` for a damaged
            folder; ``MODEL_UNSUPPORTED`` for models with code or weights of other kinds;
            ``WEIGHTS_MISMATCH``; ``INPUT_SHAPE_NEEDED``; ``EXPORT_FROM_TORCH_FAILED``.
    """
    if options.weights is not None:
        raise EdgecError(
            Code.USAGE,
            f"the folder '{path.name}' has its own weights",
            where="--weights",
            expected="no --weights, or file.py:factory",
        )
    for package in ("torch", "transformers", "safetensors"):
        child.require(package, path)
    return child.export(
        path,
        options,
        framework="torch",
        environment=_ENVIRONMENT,
        on_death=Code.EXPORT_FROM_TORCH_FAILED,
    )
