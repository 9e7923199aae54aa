"""PyTorch on the first NVIDIA GPU."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from pathlib import Path

from runtimes import torch as on_cpu
from runtimes._torch_session import TorchOptions, TorchSession
from runtimes.protocol import SessionOptions, require_file

NAME = "torch-cuda"
SUFFIXES = on_cpu.SUFFIXES
OPTIONS = TorchOptions

_DRIVER = "libcuda.so.1"
_NO_CUDA = re.compile(r"^cuda\b.*=\s*None", re.MULTILINE)


def available() -> str | None:
    """Return None where a GPU can be used, otherwise what is missing; PyTorch is not imported."""
    if reason := on_cpu.available():
        return reason
    if not _has_driver():
        return f"there is no NVIDIA driver ({_DRIVER}) on this machine"
    if _built_for_cpu():
        return "the PyTorch installed is built for the CPU: see https://pytorch.org/get-started"
    return None


def open_session(path: Path, options: SessionOptions) -> TorchSession:
    """Read *path* into a module on the GPU; as the target ``torch``."""
    require_file(path)
    return TorchSession(path, options, "cuda")


def _has_driver() -> bool:
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return False
    return True


def _built_for_cpu() -> bool:
    """Whether PyTorch's version file names no CUDA version."""
    spec = importlib.util.find_spec("torch")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    file = folder / "version.py"
    return file.is_file() and bool(_NO_CUDA.search(file.read_text(encoding="utf-8")))
