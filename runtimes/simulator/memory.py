"""What a model takes of a device's memory: activations, weights, and the runtime's own."""

from __future__ import annotations

import onnx_ir as ir

from compressor.analyses.cost import stored_bytes, weights_of
from compressor.analyses.memory import plan_memory
from runtimes.estimate import MemoryNeed


def memory_need(graph: ir.Graph) -> MemoryNeed:
    """Return the memory of one inference of *graph*."""
    plan = plan_memory(graph)
    return MemoryNeed(
        arena=plan.arena,
        weights=sum(map(stored_bytes, weights_of(graph))),
        decided_by=tuple((buffer.name, buffer.size) for buffer in plan.decided_by),
    )
