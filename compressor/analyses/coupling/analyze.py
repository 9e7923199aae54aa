"""Find which channels go together: push labels through the graph, node by node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import onnx_ir as ir

from compressor.analyses.coupling.labels import Ids
from compressor.analyses.coupling.result import Atoms, Coupling, Dimension, Site
from compressor.analyses.coupling.tracer import Tracer
from compressor.catalog import Catalog
from compressor.ir.annotations import quant_of
from compressor.ir.rewrite import subgraphs_of

RULES = Catalog("compressor.analyses.coupling.rules")
Rule = Callable[[ir.Node, Tracer], None]
_SEED = 20_110_411


def couple(model: ir.Model) -> Coupling:
    """Return the couplings of the canonical *model*; time and memory are linear in its nodes.

    Inputs and outputs of the model keep their interface. What no rule proves is blocked, with the
    reason. A quantized graph couples nothing: prune first.
    """
    rules: Mapping[str, Rule] = RULES.joined("RULES")
    tracer = Tracer()
    for node in model.graph:
        _follow(node, rules, tracer)
    for value in model.graph.outputs:
        tracer.freeze(value, f"'{value.name}' is an output of the model")
    return _settle(model, tracer)


def _follow(node: ir.Node, rules: Mapping[str, Rule], tracer: Tracer) -> None:
    rule = rules.get(node.op_type) if node.domain in ("", "ai.onnx") else None
    integer = any(quant_of(value) is not None for value in (*node.inputs, *node.outputs))
    shaped = all(value is None or value.shape is not None for value in node.inputs)
    if rule is not None and shaped and not integer:
        rule(node, tracer)
        return
    reason = f"what {node.op_type} ('{node.name}') does with it is not known"
    for value in (*node.inputs, *_captured(node)):
        tracer.freeze(value, "it is quantized" if integer else reason)


def _captured(node: ir.Node) -> Iterator[ir.Value]:
    """Yield what the bodies and branches of *node* read from outside."""
    for graph in subgraphs_of(node):
        yield from (value for value in graph.outputs if value.graph is not graph)
        for inner in graph.all_nodes():
            yield from (value for value in inner.inputs if value is not None)


def _settle(model: ir.Model, tracer: Tracer) -> Coupling:
    """Resolve labels to atoms, number the atoms that occur, and sort them by where they do."""
    arrays: dict[int, Ids] = {}
    atoms: dict[int, Atoms] = {}
    axes: dict[Site, Atoms] = {}
    for value, labels in tracer.table.items():
        for axis, ids in enumerate(labels):
            if ids is None or value.name is None:
                continue
            if id(ids) not in atoms:
                arrays[id(ids)] = ids  # kept alive: its id is a key
                atoms[id(ids)] = _resolved(tracer, ids)
            axes[value.name, axis] = atoms[id(ids)]
    dimensions = _dimensions(model, axes, tracer.labels.frozen(), len(tracer.labels))
    return Coupling(atoms=len(tracer.labels), axes=axes, dimensions=dimensions)


def _resolved(tracer: Tracer, ids: Ids) -> Atoms:
    atoms, complete = tracer.labels.atoms(ids)
    if not complete:
        tracer.labels.freeze(ids, "it is a part of itself")
    return atoms


def _dimensions(
    model: ir.Model, axes: Mapping[Site, Atoms], reasons: Mapping[int, str], count: int
) -> tuple[Dimension, ...]:
    """Group atoms that occur on the same axes, at the same depth, and that are held alike.

    Every axis has a random number; atoms of equal sums (Zobrist, "A New Hashing Method with
    Application for Game Playing", 1970) occur on the same axes.
    """
    random = np.random.default_rng(_SEED)
    sums = np.zeros(count + 1, np.uint64)
    first = np.full(count + 1, -1, np.int64)
    sites: list[tuple[Site, Atoms]] = []
    seen: set[int] = set()
    for site, atoms in axes.items():
        if id(atoms) in seen:
            continue
        seen.add(id(atoms))
        for column in atoms.T:
            present = np.unique(column[column >= 0])
            first[present] = np.where(first[present] < 0, len(sites), first[present])
            sums[present] += random.integers(1, 2**63, dtype=np.uint64)
            sites.append((site, column))
    held = sorted(reasons)
    numbers = {reason: i + 1 for i, reason in enumerate(dict.fromkeys(reasons.values()))}
    weights = random.integers(1, 2**63, len(numbers) + 1, dtype=np.uint64)
    sums[held] += weights[[numbers[reasons[atom]] for atom in held]]
    return _named(model, sites, first, sums, reasons)


def _named(
    model: ir.Model,
    sites: list[tuple[Site, Atoms]],
    first: Ids,
    sums: np.ndarray[tuple[int], np.dtype[np.uint64]],
    reasons: Mapping[int, str],
) -> tuple[Dimension, ...]:
    makers = _makers(model)
    where: dict[int, list[Site]] = {}
    groups: dict[int, tuple[Site, Atoms]] = {}
    for index, (site, column) in enumerate(sites):
        keys = np.unique(sums[column[column >= 0]])
        for key in keys.tolist():
            where.setdefault(key, []).append(site)
        new = np.unique(column[(column >= 0) & (first[column] == index)])
        for key in np.unique(sums[new]).tolist():
            if key not in groups:
                members = column[(column >= 0) & (sums[column] == key)]
                order = np.sort(np.unique(members, return_index=True)[1])
                groups[key] = site, members[order]
    taken: dict[str, int] = {}
    result = []
    for key, (site, units) in groups.items():
        name = makers.get(site[0], site[0])
        taken[name] = taken.get(name, 0) + 1
        full = name if taken[name] == 1 else f"{name}:{taken[name]}"
        blocked = reasons.get(int(units[0]), "")
        result.append(Dimension(name=full, units=units, sites=tuple(where[key]), blocked=blocked))
    return tuple(result)


def _makers(model: ir.Model) -> dict[str, str]:
    """Return by value the node that makes it; for a constant, the first that reads it."""
    names: dict[str, str] = {}
    for node in model.graph:
        for value in (*node.inputs, *node.outputs):
            if value is not None and value.name is not None:
                names.setdefault(value.name, node.name or value.name)
    return names
