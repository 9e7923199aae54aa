"""ONNX Runtime on NVIDIA GPUs."""

from __future__ import annotations

from pathlib import Path

from runtimes import _ort_provider
from runtimes.onnxruntime import OrtSession
from runtimes.protocol import SessionOptions

NAME = "ort-cuda"
SUFFIXES = (".onnx",)
OPTIONS = SessionOptions

_PROVIDER = "CUDAExecutionProvider"


def available() -> str | None:
    """Return None when the installed ONNX Runtime has it, otherwise what to install."""
    return _ort_provider.missing(_PROVIDER, "pip install onnxruntime-gpu")


def open_session(path: Path, options: SessionOptions) -> OrtSession:
    """Load *path*; see ``_ort_provider.open_with``."""
    return _ort_provider.open_with(_PROVIDER, path, options)
