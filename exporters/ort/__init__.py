"""ORT format files, which ONNX Runtime's small mobile builds load, and what such a build needs."""

from exporters.ort.export import SUFFIX, check, companions, save, write

__all__ = ["SUFFIX", "check", "companions", "save", "write"]
