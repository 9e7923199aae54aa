"""The folder read as one table: TFLite operator to the function that writes its ONNX form."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from compressor.catalog import Catalog
from compressor.ingest.tflite.emitter import Emitter

FAMILIES = Catalog("compressor.ingest.tflite.ops", shared=("tables", "windows"))

Read = Callable[[Emitter], None]


@cache
def readers() -> dict[str, Read]:
    """Return the reader of each TFLite operator that has one."""
    return {op: read for family in FAMILIES.values() for op, read in family.READ.items()}
