"""Compute at compile time what does not depend on the inputs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import onnx_ir as ir
from onnxscript import optimizer

from compressor.ir.annotations import Precision, quant_of, set_precision, set_quant
from compressor.passes.protocol import Changes, PassContext


@dataclass(frozen=True, kw_only=True)
class FoldConstants:
    """Fold constant subgraphs and shape arithmetic.

    Attributes:
        output_limit: elements of the largest constant that folding may create; a bound against
            models that expand a scalar to gigabytes.
    """

    output_limit: int = 1 << 26

    def run(self, model: ir.Model, context: PassContext) -> Changes:  # noqa: ARG002
        """Fold the constant nodes of *model*."""
        before = model.graph.num_nodes()
        with _quiet("onnxscript"):
            optimizer.fold_constants(
                model,
                input_size_limit=self.output_limit,
                output_size_limit=self.output_limit,
                should_fold=_may_fold,
            )
        _annotate_identities(model)
        return Changes(counts={"nodes folded": before - model.graph.num_nodes()})


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep to itself what a library logs about nodes that it cannot evaluate: they just stay."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _annotate_identities(model: ir.Model) -> None:
    """Let an Identity that stands for a Reshape of integers be of integers, too."""
    for node in model.graph:
        params = quant_of(node.inputs[0]) if node.op_type == "Identity" else None
        if params is not None:
            set_quant(node.outputs[0], params)
            set_precision(node, Precision.INTEGER)


def _may_fold(node: ir.Node) -> bool | None:
    """Keep quantized constants and integer nodes; leave the rest to the size limits."""
    is_integer = any(quant_of(value) is not None for value in (*node.inputs, *node.outputs))
    return False if is_integer or node.op_type in ("QuantizeLinear", "DequantizeLinear") else None
