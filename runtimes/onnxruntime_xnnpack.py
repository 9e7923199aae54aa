"""ONNX Runtime with XNNPACK, the kernels of TFLite."""

from __future__ import annotations

from pathlib import Path

from runtimes import _ort_provider
from runtimes.onnxruntime import OrtSession
from runtimes.protocol import SessionOptions

NAME = "ort-xnnpack"
SUFFIXES = (".onnx",)
OPTIONS = SessionOptions

_PROVIDER = "XnnpackExecutionProvider"


def available() -> str | None:
    """Return None when the installed ONNX Runtime has it, otherwise what to install."""
    return _ort_provider.missing(_PROVIDER, "needs a build of onnxruntime with --use_xnnpack")


def open_session(path: Path, options: SessionOptions) -> OrtSession:
    """Load *path*; see ``_ort_provider.open_with``."""
    return _ort_provider.open_with(
        _PROVIDER, path, options, {"intra_op_num_threads": str(options.threads)}
    )
