"""One form for averaging over all of an image: GlobalAveragePool."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from compressor.ir.annotations import quant_of, set_quant
from compressor.ir.rewrite import add_constant, attribute_ints, constant_of, replace_node
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class CanonicalizePool:
    """Rewrite spatial ReduceMean and image-sized AveragePool as GlobalAveragePool.

    Runtimes have an integer kernel for GlobalAveragePool where they have none for ReduceMean. An
    AveragePool of integers stays: its kernel rounds in another way.
    """

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Rewrite the global averages of *model*."""
        counts = {"ReduceMean": 0, "AveragePool": 0}
        for node in list(model.graph):
            averages = _averages_space(node) or _covers_image(node)
            if averages and _replace(node):
                counts[node.op_type] += 1
        return Changes(counts={f"{op} made global": n for op, n in counts.items()})


def _averages_space(node: ir.Node) -> bool:
    if node.op_type != "ReduceMean" or len(node.inputs) < 2:
        return False
    source = node.inputs[0]
    if source is None or source.shape is None or len(source.shape) != 4:
        return False
    axes = constant_of(node.inputs[1])
    return axes is not None and sorted(axis % 4 for axis in axes.tolist()) == [2, 3]


def _covers_image(node: ir.Node) -> bool:
    source = node.inputs[0] if node.op_type == "AveragePool" else None
    if source is None or source.shape is None or quant_of(source) is not None:
        return False
    kernel = attribute_ints(node, "kernel_shape", [])
    padded = any(attribute_ints(node, "pads", [0])) or (
        node.attributes.get_string("auto_pad", "NOTSET") not in ("NOTSET", "VALID")
    )
    return list(source.shape[2:]) == kernel and not padded


def _replace(node: ir.Node) -> bool:
    """Replace *node* by GlobalAveragePool, and a Reshape when it drops the averaged axes.

    False when the Reshape could not be written, because several dimensions are open.
    """
    source, result, graph = node.inputs[0], node.outputs[0], node.graph
    if source is None or source.shape is None or graph is None or result.shape is None:
        return False
    dims = [d if isinstance(d, int) else -1 for d in result.shape]
    drops_axes = len(dims) != len(source.shape)
    if drops_axes and dims.count(-1) > 1:
        return False
    pool = ir.node("GlobalAveragePool", [source], name=node.name)
    if not drops_axes:
        replace_node(node, [pool])
        return True
    pool.outputs[0].name = f"{result.name}_keepdims"
    pool.outputs[0].shape = ir.Shape([*source.shape[:2], 1, 1])
    pool.outputs[0].type = source.type
    set_quant(pool.outputs[0], quant_of(result))
    shape = add_constant(graph, f"{result.name}_shape", np.asarray(dims, np.int64))
    flatten = ir.node("Reshape", [pool.outputs[0], shape], name=f"{node.name}_flatten")
    replace_node(node, [pool, flatten])
    return True
