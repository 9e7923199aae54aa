"""What a compilation would refuse or leave in float, known from the graph alone.

Nothing is calibrated and no file is written: quantization is rehearsed with made-up ranges, which
decide numbers but not which nodes become integers, and every exporter is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx_ir as ir

from compressor.artifact import summarize_quantization
from compressor.calibration.table import CalibrationTable, TensorStatistics
from compressor.export import export_options
from compressor.ingest.options import IngestOptions
from compressor.ir.fingerprint import fingerprint
from compressor.passes.protocol import PassContext
from compressor.passes.quantize_static import QuantizeStatic, calibration_targets
from compressor.present import presentation
from compressor.recipe import EXPORTERS, Recipe, Scheme
from compressor.source import read_source
from exporters.protocol import Refusal

_RANGE = TensorStatistics(low=-1.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """What would happen to a model.

    Attributes:
        name: the model.
        nodes: how many there are in its canonical graph.
        refusals: by format, the nodes that it cannot hold; empty where all can be written.
        kept_float: nodes that INT8 leaves in float: name, operator, reason.
    """

    name: str
    nodes: int
    refusals: Mapping[str, tuple[Refusal, ...]]
    kept_float: tuple[tuple[str, str, str], ...]

    @property
    def is_refused(self) -> bool:
        """Whether some format cannot hold the model."""
        return any(self.refusals.values())

    def to_json(self) -> dict[str, Any]:
        """Return everything as a JSON-ready mapping."""
        return {
            "name": self.name,
            "nodes": self.nodes,
            "formats": {
                name: {
                    "refused": bool(found),
                    "refusals": [_node(r.node, r.op_type, r.reason) for r in found],
                }
                for name, found in self.refusals.items()
            },
            "kept_float": [_node(*kept) for kept in self.kept_float],
        }


def preflight(spec: str, recipe: Recipe, ingest: IngestOptions | None = None) -> Preflight:
    """Return what compiling the model named *spec* by *recipe* would refuse or leave in float.

    Raises:
        EdgecError: as ``read_source``; ``RECIPE_INVALID`` for an interface that cannot be had.
    """
    source = read_source(spec, ingest)
    refusals = {name: _refusals(source.model, name, recipe) for name in recipe.to}
    rehearsed = _rehearsed(source.model, recipe)
    for name, found in refusals.items():
        if not found:  # integers have forms of their own, which a format may lack
            refusals[name] = _refusals(rehearsed, name, recipe)
    kept = summarize_quantization(rehearsed).kept_float
    return Preflight(
        name=source.name, nodes=source.model.graph.num_nodes(), refusals=refusals, kept_float=kept
    )


def _refusals(model: ir.Model, name: str, recipe: Recipe) -> tuple[Refusal, ...]:
    return tuple(EXPORTERS[name].check(model, export_options(recipe)))


def _rehearsed(model: ir.Model, recipe: Recipe) -> ir.Model:
    """Return *model* as *recipe* would have it quantized and presented, on made-up scales."""
    copy = model.clone()
    if recipe.quantize is Scheme.INT8:
        keep_float = frozenset(recipe.keep_float)
        names = calibration_targets(copy, keep_float)
        table = CalibrationTable(
            fingerprint=fingerprint(copy), samples=0, tensors=dict.fromkeys(names, _RANGE)
        )
        QuantizeStatic(keep_float=keep_float).run(copy, PassContext(table=table))
    for step in presentation(recipe):
        step.run(copy, PassContext())
    return copy


def _node(name: str, op_type: str, reason: str) -> dict[str, str]:
    return {"node": name, "op_type": op_type, "reason": reason}
