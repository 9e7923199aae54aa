"""TFLite files, written directly through the flatbuffer schema that LiteRT ships."""

from exporters.tflite.export import SUFFIX, check, save, write

__all__ = ["SUFFIX", "check", "save", "write"]
