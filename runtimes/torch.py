"""PyTorch on the CPU: files are read into a graph, and the graph is a module."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from runtimes._torch_session import TorchOptions, TorchSession
from runtimes.protocol import SessionOptions, require_file

NAME = "torch"
SUFFIXES = (".onnx", ".tflite", ".pt2", ".keras", ".h5")
OPTIONS = TorchOptions


def available() -> str | None:
    """Return None when PyTorch is installed, otherwise what to install."""
    if importlib.util.find_spec("torch") is None:
        return "the package torch is not installed: pip install 'edgec[torch]'"
    return None


def open_session(path: Path, options: SessionOptions) -> TorchSession:
    """Read *path* into a module; ``RUNTIME_REFUSED`` says which operator has no kernel."""
    require_file(path)
    return TorchSession(path, options, "cpu")
