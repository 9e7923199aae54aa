"""The layers that read a dimension, and which of their inputs belong to which unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from compressor.analyses.coupling.result import Coupling, Dimension
from compressor.calibration.moments import Moments
from compressor.ir.rewrite import constant_of

Matrix = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Reader:
    """A linear layer whose inputs are units of a dimension.

    Attributes:
        node: its name.
        weight: shape [outputs, K].
        columns: inputs that belong to each unit, shape [units, block].
        moments: of its input vectors, where samples were run.
    """

    node: str
    weight: Matrix
    columns: Indices
    moments: Moments | None = None


def is_linear(node: ir.Node) -> bool:
    """Whether *node* is a dense layer: an ungrouped Conv or a Gemm with constant [N, K] weights."""
    if constant_of(node.inputs[1] if len(node.inputs) > 1 else None) is None:
        return False
    if node.op_type == "Conv":
        return node.attributes.get_int("group", 1) == 1
    return node.op_type == "Gemm" and bool(node.attributes.get_int("transB", 0))


def readers_of(
    model: ir.Model,
    coupling: Coupling,
    dimension: Dimension,
    moments: Mapping[str, Moments] | None = None,
) -> list[Reader]:
    """Return the layers of *model* that multiply units of *dimension* by weights and sum them."""
    place = np.full(coupling.atoms + 1, -1, np.int64)
    place[dimension.units] = np.arange(len(dimension))
    found = []
    for node in model.graph:
        weight = node.inputs[1] if is_linear(node) else None
        atoms = None if weight is None else coupling.axes.get((weight.name or "", 1))
        if weight is None or atoms is None:
            continue
        units = place[atoms].max(axis=1, initial=-1)
        if (units < 0).all():
            continue
        array = constant_of(weight)
        if array is None:
            continue
        columns = _columns(units, len(dimension), prod(array.shape[2:]))
        if columns is not None:
            found.append(
                Reader(
                    node=node.name or "",
                    weight=array.reshape(len(array), -1).astype(np.float64),
                    columns=columns,
                    moments=(moments or {}).get(node.name or ""),
                )
            )
    return found


def _columns(units: Indices, count: int, taps: int) -> Indices | None:
    """Return the inputs of each unit, None when they are not equally many."""
    times = np.bincount(units[units >= 0], minlength=count)
    if (times != times[0]).any():
        return None
    order = np.argsort(units, kind="stable")[np.searchsorted(np.sort(units), 0) :]
    channels = order.reshape(count, int(times[0]))
    columns = channels[:, :, None] * taps + np.arange(taps)
    return np.asarray(columns.reshape(count, -1), np.int64)
