"""What the removal of units of one dimension alone does to the answers of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.plan import Plan
from compressor.analyses.coupling.result import Dimension
from compressor.ir.rewrite import constant_of, set_constant
from compressor.passes.protocol import PassContext
from compressor.passes.remove_channels import RemoveChannels
from compressor.pruning.elimination import Elimination
from compressor.pruning.readers import Reader

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Damage over the number of units that are gone.

    Attributes:
        dimension: whose units go.
        order: its units by place, the first to go first.
        gone: numbers of units, ascending from 0.
        damage: at each of them, never falling.
    """

    dimension: Dimension
    order: npt.NDArray[np.int64]
    gone: npt.NDArray[np.int64]
    damage: Matrix

    def at(self, gone: int) -> float:
        """Return the damage with *gone* units away, straight between measured points."""
        return float(np.interp(gone, self.gone, self.damage))

    def removed(self, gone: int) -> tuple[int, ...]:
        """Return the places of the first *gone* units to go."""
        return tuple(sorted(self.order[:gone].tolist()))


def levels_of(dimension: Dimension, align: int, most: int = 7) -> list[int]:
    """Return at most *most* numbers of units to try without, spread evenly, on aligned widths.

    A dimension no longer than *align* keeps any width.
    """
    whole = len(dimension)
    align = align if whole > align else 1
    wanted = [whole - align * round(whole * i / (most + 1) / align) for i in range(1, most + 1)]
    widths = {whole - gone for gone in wanted}
    return sorted(whole - width for width in widths if 0 < width < whole)


def without(model: ir.Model, plan: Plan, readers: list[Reader], weights: list[Matrix]) -> ir.Model:
    """Return a copy of *model* after *plan*, its *readers* making up for it by new *weights*."""
    copy = model.clone()
    nodes = {node.name: node for node in copy.graph}
    for reader, weight in zip(readers, weights, strict=True):
        _replace(nodes[reader.node], reader, weight)
    RemoveChannels(plan=plan).run(copy, PassContext())
    return copy


def _replace(node: ir.Node, reader: Reader, weight: Matrix) -> None:
    """Set *weight*, and shift the bias so that the mean output stays."""
    value, bias_value = node.inputs[1], node.inputs[2] if len(node.inputs) > 2 else None
    old, bias = constant_of(value), constant_of(bias_value)
    if value is None or old is None:
        raise ValueError(f"'{node.name}' has no constant weight")
    set_constant(value, weight.reshape(old.shape).astype(np.float32))
    if bias_value is not None and bias is not None and reader.moments is not None:
        shift = (reader.weight - weight) @ reader.moments.mean[0]
        set_constant(bias_value, (bias + shift).astype(np.float32))


def by_losses(dimension: Dimension, found: Elimination) -> Curve:
    """Return the curve that the errors of the readers alone suggest, without running anything."""
    gone = np.arange(len(dimension))
    damage = np.maximum.accumulate(np.concatenate([[0.0], found.losses]))
    return Curve(dimension=dimension, order=found.order, gone=gone, damage=damage)
