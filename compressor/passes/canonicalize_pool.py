"""One form for averaging over all of an image: GlobalAveragePool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.rewrite import add_constant, attribute_ints, constant_of, replace_node
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class CanonicalizePool:
    """Rewrite spatial ReduceMean and image-sized AveragePool as GlobalAveragePool.

    Runtimes have an integer kernel for GlobalAveragePool where they have none for ReduceMean.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Rewrite the global averages of *model*."""
        counts = {"ReduceMean": 0, "AveragePool": 0}
        for node in list(model.graph):
            if node.op_type == "ReduceMean" and _averages_space(node):
                _replace(node)
                counts["ReduceMean"] += 1
            elif node.op_type == "AveragePool" and _covers_image(node):
                _replace(node)
                counts["AveragePool"] += 1
        return Changes(counts={f"{op} made global": n for op, n in counts.items()})


def _averages_space(node: ir.Node) -> bool:
    source = node.inputs[0]
    if source is None or source.shape is None or len(source.shape) != 4 or len(node.inputs) < 2:
        return False
    axes = constant_of(node.inputs[1])
    return axes is not None and sorted(axis % 4 for axis in axes.tolist()) == [2, 3]


def _covers_image(node: ir.Node) -> bool:
    source = node.inputs[0]
    if source is None or source.shape is None:
        return False
    kernel = attribute_ints(node, "kernel_shape", [])
    return list(source.shape[2:]) == kernel and not any(attribute_ints(node, "pads", [0]))


def _replace(node: ir.Node) -> None:
    """Replace *node* by GlobalAveragePool, and a Reshape when it drops the averaged axes."""
    source, result, graph = node.inputs[0], node.outputs[0], node.graph
    if source is None or source.shape is None or graph is None or result.shape is None:
        return
    pool = ir.node("GlobalAveragePool", [source], name=node.name)
    if len(result.shape) == len(source.shape):
        replace_node(node, [pool])
        return
    pool.outputs[0].name = f"{result.name}_keepdims"
    pool.outputs[0].shape = ir.Shape([*source.shape[:2], 1, 1])
    pool.outputs[0].type = source.type
    dims = [d if isinstance(d, int) else -1 for d in result.shape]
    shape = add_constant(graph, f"{result.name}_shape", np.asarray(dims, np.int64))
    flatten = ir.node("Reshape", [pool.outputs[0], shape], name=f"{node.name}_flatten")
    replace_node(node, [pool, flatten])
