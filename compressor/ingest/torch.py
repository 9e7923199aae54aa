"""PyTorch's exported programs: ``m.pt2``, read by torch in a child process."""

from __future__ import annotations

from pathlib import Path

import onnx_ir as ir

from compressor.errors import Code, EdgecError
from compressor.ingest import child
from compressor.ingest.options import IngestOptions

_WEIGHT_SUFFIXES = frozenset({".pt", ".pth", ".ckpt", ".safetensors"})
# A .pt2 file is data: torch must not fall back to unpickling it.
_ENVIRONMENT = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}


def accepts(path: Path) -> bool:
    """Whether *path* is named like an exported program, or like a checkpoint, which is refused."""
    return path.suffix == ".pt2" or path.suffix in _WEIGHT_SUFFIXES


def load(path: Path, options: IngestOptions) -> ir.Model:
    """Export the program at *path* to ONNX and read it.

    Raises:
        EdgecError: ``MODEL_FORMAT_UNKNOWN`` for a checkpoint; ``EXTRA_MISSING`` without torch;
            ``MODEL_UNREADABLE`` for a damaged file; ``EXPORT_FROM_TORCH_FAILED`` when torch cannot
            make a graph that answers as the model.
    """
    if path.suffix in _WEIGHT_SUFFIXES:
        raise EdgecError(
            Code.MODEL_FORMAT_UNKNOWN,
            f"'{path.name}' holds weights (or a pickled module, which is never loaded)",
            where=str(path),
            expected="the model that they belong to: file.py:factory, "
            "a callable that returns a torch.nn.Module",
            hint=f"edgec compile model.py:build --weights {path.name}",
        )
    if options.weights is not None:
        raise EdgecError(
            Code.USAGE,
            "a .pt2 file has its own weights",
            where="--weights",
            expected="no --weights, or file.py:factory",
        )
    child.require("torch", path)
    return child.export(
        path,
        options,
        framework="torch",
        environment=_ENVIRONMENT,
        on_death=Code.EXPORT_FROM_TORCH_FAILED,
    )
