"""TFLite files, written directly through the flatbuffer schema that LiteRT ships."""

from exporters.protocol import no_companions
from exporters.tflite.export import SUFFIX, check, write

companions = no_companions

__all__ = ["SUFFIX", "check", "companions", "write"]
