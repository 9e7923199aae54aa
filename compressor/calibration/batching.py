"""How many samples to run at once."""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx_ir as ir

LARGEST_BATCH = 16
_BYTES = 48 << 20


def batch_size(model: ir.Model, names: Iterable[str], *, most: int) -> int:
    """Return samples per run, up to *most*, so that the values *names* stay within bounds."""
    wanted = set(names)
    values = (v for node in model.graph for v in node.outputs if v.name in wanted)
    elements = sum(
        math.prod(dim if isinstance(dim, int) else 1 for dim in value.shape or ())
        for value in values
    )
    return max(1, min(most, _BYTES // max(1, 4 * elements)))
