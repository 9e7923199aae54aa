"""The folder read as tables: ONNX operator to legalization, dialect operator to lowering."""

from __future__ import annotations

from functools import cache

from compressor.catalog import Catalog
from exporters.tflite.ops.protocol import Legalize, Lowering

_SHARED = (
    *(
        "protocol",
        "tables",
        "operands",
        "recurrence",
        "composition",
        "resampling",
        "flat",
        "volume",
    ),
)
FAMILIES = Catalog("exporters.tflite.ops", shared=_SHARED)


@cache
def legalizations() -> dict[str, Legalize]:
    """Return the legalization of each ONNX operator that has one."""
    return {op: rule for family in FAMILIES.values() for op, rule in family.LEGALIZE.items()}


@cache
def lowerings() -> dict[str, Lowering]:
    """Return the lowering of each dialect operator."""
    return {op: rule for family in FAMILIES.values() for op, rule in family.LOWER.items()}
