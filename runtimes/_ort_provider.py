"""ONNX Runtime with another execution provider than its own kernels, where the wheel has it."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

from compressor.errors import Code, EdgecError
from runtimes.onnxruntime import CPU, OrtSession
from runtimes.protocol import SessionOptions, require_file


def missing(provider: str, install: str) -> str | None:
    """Return None when the installed wheel has *provider*, otherwise what to *install*."""
    if importlib.util.find_spec("onnxruntime") is None:
        return f"the package onnxruntime is not installed: {install}"
    import onnxruntime as ort

    if provider not in ort.get_available_providers():
        return f"the onnxruntime installed has no {provider}: {install}"
    return None


def open_with(
    provider: str, path: Path, options: SessionOptions, settings: dict[str, str] | None = None
) -> OrtSession:
    """Load *path*; what *provider* cannot run falls to ONNX Runtime's own kernels, node by node.

    Raises:
        EdgecError: as for the target ``ort``; ``RUNTIME_UNAVAILABLE`` when the provider itself does
            not start, where ONNX Runtime would go on without it.
    """
    require_file(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where we raise below
        session = OrtSession(path, options, providers=((provider, settings or {}), (CPU, {})))
    if provider not in session.providers:
        raise EdgecError(
            Code.RUNTIME_UNAVAILABLE,
            f"{provider} does not start here: its libraries or its device are missing",
            where=str(path),
        )
    return session
