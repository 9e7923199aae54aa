"""What a graph would cost with some units gone, without building it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_ir as ir

from compressor.analyses.cost import macs_of, weights_of
from compressor.analyses.coupling.result import Atoms, Coupling, Mask, Site
from compressor.pruning.budget import Measure


class CostModel:
    """A sum of terms, each in proportion to the lengths of a few axes."""

    def __init__(self, model: ir.Model, coupling: Coupling, measure: Measure) -> None:
        """Gather the terms of *measure*; size is that of float weights, latency goes by MACs."""
        self._arrays: list[Atoms] = []
        self._known: dict[int, int] = {}
        self._coupling = coupling
        amounts: list[float] = []
        rows: list[list[int]] = []
        by_weights = measure in (Measure.PARAMS, Measure.SIZE)
        terms = _parameters(model) if by_weights else _products(model)
        scale = 4.0 if measure is Measure.SIZE else 1.0
        for amount, sites in terms:
            amounts.append(amount * scale)
            rows.append([self._index(site) for site in sites])
        width = max((len(row) for row in rows), default=0)
        padded = [row + [0] * (width - len(row)) for row in rows]
        self._amounts = np.array(amounts, np.float64)
        self._rows = np.array(padded, np.int64).reshape(len(rows), width)
        self._shares = np.ones(len(self._arrays) + 1)

    def _index(self, site: Site) -> int:
        """Return the number of the axis at *site*; 0 stands for an axis that keeps its length."""
        atoms = self._coupling.axes.get(site)
        if atoms is None:
            return 0
        if id(atoms) not in self._known:
            self._arrays.append(atoms)
            self._known[id(atoms)] = len(self._arrays)
        return self._known[id(atoms)]

    def touched(self, units: Atoms) -> list[int]:
        """Return the axes that lose something when any of *units* goes."""
        mask = self._coupling.removed(units)
        return [i for i, atoms in enumerate(self._arrays, start=1) if mask[atoms].any()]

    def of(self, removed: Mask, touched: Sequence[int] | None = None) -> float:
        """Return the cost with the units of the mask *removed* gone.

        With *touched*, only these axes differ from those given to ``settle``.
        """
        shares = self._shares.copy()
        axes = range(1, len(self._arrays) + 1) if touched is None else touched
        for i in axes:
            shares[i] = 1.0 - removed[self._arrays[i - 1]].any(axis=1).mean()
        return float(self._amounts @ shares[self._rows].prod(axis=1))

    def settle(self, removed: Mask) -> None:
        """Take *removed* as what is gone for good."""
        for i, atoms in enumerate(self._arrays, start=1):
            self._shares[i] = 1.0 - removed[atoms].any(axis=1).mean()


def _products(model: ir.Model) -> list[tuple[float, list[Site]]]:
    terms = []
    for node in model.graph:
        macs = macs_of(node)
        if macs:
            terms += [(macs * share, sites) for share, sites in _factors(node)]
    return terms


def _factors(node: ir.Node) -> list[tuple[float, list[Site]]]:
    """Return the parts of *node*'s products, each with the axes that it is in proportion to."""
    names = ["" if value is None else value.name or "" for value in node.inputs]
    result, rank = node.outputs[0].name or "", len(node.outputs[0].shape or ())
    match node.op_type:
        case "Conv":
            return [(1.0, [(result, 1), (names[1], 1)])]
        case "ConvTranspose":
            return [(1.0, [(names[0], 1), (names[1], 1)])]
        case "Gemm":
            return [(1.0, [(names[1], 0), (names[1], 1)])]
        case "MatMul":
            inner = len(node.inputs[0].shape or ()) - 1 if node.inputs[0] is not None else 0
            return [(1.0, [*((result, axis) for axis in range(rank)), (names[0], inner)])]
        case _:
            sizes = [_elements(node.inputs[1]), _elements(node.inputs[2])]
            whole = max(sum(sizes), 1)
            return [
                (size / whole, [(name, 1), (name, 2)])
                for size, name in zip(sizes, names[1:3], strict=True)
            ]


def _parameters(model: ir.Model) -> list[tuple[float, list[Site]]]:
    return [
        (float(_elements(value)), [(value.name or "", axis) for axis in range(len(value.shape))])
        for value in weights_of(model.graph)
        if value.shape is not None
    ]


def _elements(value: ir.Value | None) -> int:
    return 0 if value is None or value.const_value is None else int(value.const_value.size)
