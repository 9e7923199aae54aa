"""Take channels out of a graph: smaller weights, attributes and shapes, the same interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx_ir as ir

from compressor.analyses.coupling.analyze import couple
from compressor.analyses.coupling.plan import Plan
from compressor.catalog import Catalog
from compressor.ir.rewrite import set_constant
from compressor.passes.protocol import Changes, PassContext
from compressor.passes.removal._kept import Kept

RULES = Catalog("compressor.passes.removal")
Rule = Callable[[ir.Node, Kept], None]


@dataclass(frozen=True, kw_only=True)
class RemoveChannels:
    """Remove the channels that a plan names, with everything that goes with them.

    The result computes what the model before would with the weights of these channels at zero.

    Attributes:
        plan: what goes of each dimension that `couple` finds in the graph.
    """

    plan: Plan = field(default_factory=Plan)

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Shrink *model*; a plan that does not fit it raises ``PRUNE_PLAN_MISMATCH``."""
        counts = {"units removed": 0, "constants shrunk": 0}
        if not any(self.plan.removed.values()):
            return Changes(counts=counts)
        coupling = couple(model)
        units = self.plan.units(coupling)
        kept = Kept(coupling.kept(coupling.removed(units)))
        rules: Mapping[str, Rule] = RULES.joined("RULES")
        for node in list(model.graph):
            rule = rules.get(node.op_type)
            if rule is not None and any(kept.axes(v) for v in (*node.inputs, *node.outputs)):
                rule(node, kept)
        counts["units removed"] = len(units)
        counts["constants shrunk"] = _shrink_constants(model.graph, kept)
        _shrink_shapes(model.graph, kept)
        return Changes(counts=counts)


def _shrink_constants(graph: ir.Graph, kept: Kept) -> int:
    shrunk = 0
    for value in list(graph.initializers.values()):
        masks = kept.axes(value)
        if not masks or value.const_value is None:
            continue
        array = value.const_value.numpy()
        for axis, mask in masks.items():
            array = np.compress(mask, array, axis=axis)
        set_constant(value, np.ascontiguousarray(array))
        shrunk += 1
    return shrunk


def _shrink_shapes(graph: ir.Graph, kept: Kept) -> None:
    for node in graph:
        for value in node.outputs:
            masks = kept.axes(value)
            if masks and value.shape is not None:
                dims = [
                    int(masks[axis].sum()) if axis in masks else dim
                    for axis, dim in enumerate(value.shape)
                ]
                value.shape = ir.Shape(dims)
