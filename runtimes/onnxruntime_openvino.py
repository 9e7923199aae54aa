"""ONNX Runtime with OpenVINO on Intel processors."""

from __future__ import annotations

from pathlib import Path

from runtimes import _ort_provider
from runtimes.onnxruntime import OrtSession
from runtimes.protocol import SessionOptions

NAME = "ort-openvino"
SUFFIXES = (".onnx",)
OPTIONS = SessionOptions

_PROVIDER = "OpenVINOExecutionProvider"


def available() -> str | None:
    """Return None when the installed ONNX Runtime has it, otherwise what to install."""
    return _ort_provider.missing(_PROVIDER, "pip install onnxruntime-openvino")


def open_session(path: Path, options: SessionOptions) -> OrtSession:
    """Load *path*; see ``_ort_provider.open_with``."""
    return _ort_provider.open_with(_PROVIDER, path, options)
